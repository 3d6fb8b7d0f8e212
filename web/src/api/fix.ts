// What the page asks for a fix: the smallest verified edits that make a wanted token the top one.
import { bare, type Run } from "../domain/run";
import { longWork } from "./longwork";
import { useStoppable } from "./stoppable";
import type { FixAnswer, PostBody } from "./types";

export interface Wanted {
  run: Run;
  position: number;
  target: number;
  maxEdits: number;
}

/** Searches with progress; `cancel` gives it up, and that is no error. */
export function useFix() {
  return useStoppable(({ run, position, target, maxEdits }: Wanted, signal) => {
    const body: PostBody<"/api/fix"> = { ...bare(run), position, target_id: target, max_edits: maxEdits };
    return longWork<FixAnswer>("api/fix", body, signal);
  });
}
