// What the page asks about lenses: which are kept, a fit, a comparison.
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { request } from "./client";
import { longWork } from "./longwork";
import { useStoppable } from "./stoppable";
import type { FitSummary, LensComparison, LensListing, PostBody } from "./types";

export const lensesQuery = () =>
  queryOptions({
    queryKey: ["lenses"],
    queryFn: ({ signal }) => request<LensListing>("GET", "api/lenses", { signal }),
    staleTime: 60_000,
  });

/** Fit a lens on text that the model writes, and keep it. A fit that was given up goes on where it was. */
export function useFitLens() {
  const client = useQueryClient();
  return useStoppable(
    (kind: "tuned" | "jacobian", signal) =>
      longWork<FitSummary>("api/lenses/fit", { kind } satisfies PostBody<"/api/lenses/fit">, signal),
    { onFound: () => client.invalidateQueries({ queryKey: ["lenses"] }) },
  );
}

export const lensComparisonQuery = (wanted: boolean, names: readonly string[]) =>
  queryOptions({
    queryKey: ["lens comparison", names],
    queryFn: ({ signal }) => longWork<LensComparison>("api/lenses/compare", {}, signal),
    enabled: wanted,
    staleTime: Infinity,
    retry: false,
  });
