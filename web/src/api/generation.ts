// What the page asks for a whole continuation at once. One that is shown token by token is
// run/generation's.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request } from "./client";
import type { Run } from "../domain/run";
import type { Generation, PostBody } from "./types";

/** A greedy continuation, with the edits and without. */
export const generateQuery = (run: Run | null, tokens: number) =>
  queryOptions({
    queryKey: ["generate", run, tokens],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/generate"> = { ...run, max_new_tokens: tokens };
      return request<Generation>("POST", "api/generate", { body, signal });
    },
    enabled: run !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: keepPreviousData,
  });

/** One continuation, without another to compare it with. */
export const continuationQuery = (asked: PostBody<"/api/generate">) =>
  queryOptions({
    queryKey: ["continuation", asked],
    queryFn: ({ signal }) =>
      request<Generation>("POST", "api/generate", { body: { ...asked, compare: false }, signal }),
    staleTime: Infinity,
    gcTime: 120_000,
  });
