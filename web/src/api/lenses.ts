// What the page asks about lenses: which are kept, a fit, a comparison.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { request } from "./client";
import { longWork, wasStopped } from "./longwork";
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
  const stopper = useRef<AbortController>(null);
  const mutation = useMutation({
    mutationFn: async (kind: "tuned" | "jacobian") => {
      const { signal } = (stopper.current = new AbortController());
      try {
        return await longWork<FitSummary>("api/lenses/fit", { kind } satisfies PostBody<"/api/lenses/fit">, signal);
      } catch (failure) {
        if (wasStopped(failure)) return null;
        throw failure;
      }
    },
    onSuccess: (found) => (found === null ? undefined : client.invalidateQueries({ queryKey: ["lenses"] })),
  });
  return { ...mutation, cancel: () => stopper.current?.abort() };
}

export const lensComparisonQuery = (wanted: boolean, names: readonly string[]) =>
  queryOptions({
    queryKey: ["lens comparison", names],
    queryFn: ({ signal }) => longWork<LensComparison>("api/lenses/compare", {}, signal),
    enabled: wanted,
    staleTime: Infinity,
    retry: false,
  });
