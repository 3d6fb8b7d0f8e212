// Requests that tell how far they are: answered as a stream of events, shown as progress, given up when aborted.
import { createStore, usePart } from "../ui/store";
import { cutShort, stream } from "./client";
import type { Health } from "./types";

export type ProgressEvent = Pick<Health, "step" | "done" | "total">;

interface Going {
  progress: ProgressEvent | null;
  stop: () => void;
}

/** The requests that are under way, the latest last. */
const going = createStore<ReadonlyMap<symbol, Going>>(new Map());

function tell(request: symbol, now: Going | null): void {
  const next = new Map(going.get());
  if (now === null) next.delete(request);
  else next.set(request, now);
  going.set(next);
}

/**
 * A POST that is answered with events; its result. The server stops working when the signal aborts. `told` hears of what
 * comes on the way.
 */
export async function longWork<T>(
  path: string,
  body: unknown,
  signal: AbortSignal,
  told?: (event: string, data: unknown) => void,
): Promise<T> {
  const request = Symbol(path);
  const own = new AbortController();
  const stop = () => own.abort();
  tell(request, { progress: null, stop });
  try {
    for await (const { event, data } of stream(path, body, AbortSignal.any([signal, own.signal]))) {
      if (event === "progress") tell(request, { progress: data as ProgressEvent, stop });
      if (event === "result") return data as T;
      if (event !== "progress") told?.(event, data);
    }
  } finally {
    tell(request, null);
  }
  throw cutShort();
}

export function stopLongWork(): void {
  for (const { stop } of going.get().values()) stop();
}

/** Whether a failure is that somebody stopped the request. */
export const wasStopped = (failure: unknown): boolean =>
  failure instanceof DOMException && failure.name === "AbortError";

/** How far the latest long work of this page is, or null. */
export const useLongWork = (): ProgressEvent | null =>
  usePart(going, (all) => [...all.values()].findLast(({ progress }) => progress)?.progress ?? null);
