// A long mutation that can be given up: that somebody stopped it is no error, is told, and it can be started again.
import { useMutation, type MutationKey } from "@tanstack/react-query";
import { useRef } from "react";
import { wasStopped } from "./longwork";

interface Options<Found> {
  key?: MutationKey;
  /** What follows from an answer. */
  onFound?: (found: Found) => unknown;
}

/** `ask` is given a signal that aborts when the work is to stop; the answer is null if it was stopped. */
export function useStoppable<Asked, Found>(
  ask: (asked: Asked, signal: AbortSignal) => Promise<Found>,
  { key, onFound }: Options<Found> = {},
) {
  const stopper = useRef<AbortController>(null);
  const mutation = useMutation({
    ...(key === undefined ? {} : { mutationKey: key }),
    mutationFn: async (asked: Asked) => {
      const { signal } = (stopper.current = new AbortController());
      try {
        return await ask(asked, signal);
      } catch (failure) {
        if (wasStopped(failure)) return null;
        throw failure;
      }
    },
    onSuccess: (found) => (found === null ? undefined : onFound?.(found)),
  });
  return {
    ...mutation,
    /** It was given up, and has not been started again. */
    stopped: mutation.isSuccess && mutation.data === null,
    cancel: () => stopper.current?.abort(),
  };
}
