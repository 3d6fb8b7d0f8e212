// What the page asks for a fix: the smallest verified edits that make a wanted token the top one.
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { bare, type Run } from "../domain/run";
import { longWork, wasStopped } from "./longwork";
import type { FixAnswer, PostBody } from "./types";

export interface Wanted {
  run: Run;
  position: number;
  target: number;
  maxEdits: number;
}

/** Searches with progress; `cancel` gives it up, and that is no error. */
export function useFix() {
  const stopper = useRef<AbortController>(null);
  const mutation = useMutation({
    mutationFn: async ({ run, position, target, maxEdits }: Wanted) => {
      const { signal } = (stopper.current = new AbortController());
      const body: PostBody<"/api/fix"> = { ...bare(run), position, target_id: target, max_edits: maxEdits };
      try {
        return await longWork<FixAnswer>("api/fix", body, signal);
      } catch (failure) {
        if (wasStopped(failure)) return null;
        throw failure;
      }
    },
  });
  return { ...mutation, cancel: () => stopper.current?.abort() };
}
