// What the page asks of the lens grid: regions of it, as they are needed. They are kept column by column in run/columns.
import { queryOptions } from "@tanstack/react-query";
import type { Run } from "../domain/run";
import { request } from "./client";
import type { LensGrid, PostBody } from "./types";

/** Some layers at some positions, with a token that is followed. */
export function readGrid(
  run: Run,
  layers: readonly number[],
  positions: readonly number[],
  token: number | null,
  signal: AbortSignal,
): Promise<LensGrid> {
  const body: PostBody<"/api/grid"> = { ...run, layers: [...layers], positions: [...positions], token };
  return request<LensGrid>("POST", "api/grid", { body, signal });
}

/** How surprising each token of a stretch was, in nats, by position. */
export const surpriseQuery = (run: Run | null, lastLayer: number, first: number, count: number) =>
  queryOptions({
    queryKey: ["surprise", run, first, count],
    queryFn: async ({ signal }) => {
      const positions = Array.from({ length: count }, (_, index) => first + index);
      return (await readGrid(run as Run, [lastLayer], positions, null, signal)).surprise;
    },
    enabled: run !== null && count > 0,
    staleTime: Infinity,
    gcTime: 120_000,
  });
