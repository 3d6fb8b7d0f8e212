// What the page asks of a sweep: a prediction over the strengths of one edit.
import { bare, type Run } from "../domain/run";
import { longWork } from "./longwork";
import { useStoppable } from "./stoppable";
import type { PostBody, SweepAnswer } from "./types";

export interface Swept {
  /** Without the edit. */
  run: Run;
  position: number;
  unit: string;
}

export function useSweep() {
  return useStoppable(({ run, position, unit }: Swept, signal) => {
    const body: PostBody<"/api/sweep"> = { ...bare(run), position, unit, points: POINTS };
    return longWork<SweepAnswer>("api/sweep", body, signal);
  });
}

const POINTS = 21;
