// What the page asks of a sweep: a prediction over the strengths of one edit.
import { useMutation } from "@tanstack/react-query";
import { bare, type Run } from "../domain/run";
import { longWork } from "./longwork";
import type { PostBody, SweepAnswer } from "./types";

export interface Swept {
  /** Without the edit. */
  run: Run;
  position: number;
  unit: string;
}

export function useSweep() {
  return useMutation({
    mutationFn: ({ run, position, unit }: Swept) => {
      const body: PostBody<"/api/sweep"> = { ...bare(run), position, unit, points: POINTS };
      return longWork<SweepAnswer>("api/sweep", body, new AbortController().signal);
    },
  });
}

const POINTS = 21;
