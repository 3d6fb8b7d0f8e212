// What the page asks about the ways to a prediction: its flow, all heads of a prompt, and activations of another run in
// place of its own. Each reads attention of whole prompts: seconds of work, with progress.
import { queryOptions } from "@tanstack/react-query";
import type { BisectBody } from "../domain/bisect";
import { bare, type Run } from "../domain/run";
import { longWork } from "./longwork";
import type { Bisection, Flow, HeadTable, PatchMap, PathMap, PostBody } from "./types";

const KEPT = { staleTime: Infinity, gcTime: 300_000, retry: false } as const;

/** The edges whose contribution is at least `threshold`, and what is reached through them. */
export const flowQuery = (run: Run | null, position: number, threshold: number) =>
  queryOptions({
    queryKey: ["flow", bare(run), position, threshold],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/flow"> = { ...bare(run), position, threshold };
      return longWork<Flow>("api/flow", body, signal);
    },
    enabled: run !== null,
    ...KEPT,
  });

export const headTableQuery = (run: Run | null, position: number) =>
  queryOptions({
    queryKey: ["heads", run, position],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/heads"> = { ...run, position };
      return longWork<HeadTable>("api/heads", body, signal);
    },
    enabled: run !== null,
    ...KEPT,
  });

export interface Patching {
  source: string;
  part: PatchMap["part"];
  position: number;
  target: number | null;
  versus: number | null;
}

export const patchQuery = (run: Run | null, { source, part, position, target, versus }: Patching) =>
  queryOptions({
    queryKey: ["patch", bare(run), source, part, position, target, versus],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/patch"> = {
        ...{ ...bare(run), source, part, position },
        ...(target === null ? {} : { target_id: target }),
        ...(versus === null ? {} : { against_id: versus }),
      };
      return longWork<PatchMap>("api/patch", body, signal);
    },
    enabled: run !== null && source !== "",
    placeholderData: (previous) => previous,
    ...KEPT,
  });

export interface Pathing extends Omit<Patching, "part"> {
  receiver: string;
  sender: "heads" | "ffn";
  through: PathMap["through"];
}

/** The paths to a part that reads: each part that it reads is the other run's, for it alone. */
export const pathQuery = (run: Run | null, { target, versus, ...asked }: Pathing) =>
  queryOptions({
    queryKey: ["paths", bare(run), asked, target, versus],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/path-patch"> = {
        ...{ ...bare(run), ...asked },
        ...(target === null ? {} : { target_id: target }),
        ...(versus === null ? {} : { against_id: versus }),
      };
      return longWork<PathMap>("api/path-patch", body, signal);
    },
    enabled: run !== null && asked.source !== "",
    placeholderData: (previous) => previous,
    ...KEPT,
  });

/** Where two runs part: the layer, the part and the units that tip the answer. */
export const bisectQuery = (body: BisectBody | null) =>
  queryOptions({
    queryKey: ["bisect", body],
    queryFn: ({ signal }) => longWork<Bisection>("api/bisect", body, signal),
    enabled: body !== null,
    placeholderData: (previous) => previous,
    ...KEPT,
  });
