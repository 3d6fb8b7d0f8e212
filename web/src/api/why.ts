// What the page asks about who wrote a token, and about heads, as TanStack queries.
import { queryOptions } from "@tanstack/react-query";
import type { Run } from "../domain/run";
import { request } from "./client";
import { longWork } from "./longwork";
import type { HeadView, PostBody, WhyAnswer } from "./types";

/** Parts listed at most. */
const LISTED = 40;

/**
 * The units of all layers by their direct effect on a token's logit, or on its lead over another's. `verify` switches so
 * many of the likeliest off, one by one, and measures what that does; with 0 nothing is estimated either: that takes a
 * gradient, which of 2,000 tokens is half a minute of the model's one thread.
 */
export const whyQuery = (
  run: Run | null,
  position: number,
  target: number | null,
  versus: number | null,
  verify: number,
) =>
  queryOptions({
    queryKey: ["why", run, position, target, versus, verify],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/why"> = {
        ...{ ...run, position, target_id: target, against_id: versus },
        ...{ top_k: LISTED, estimate: verify > 0, verify },
      };
      // The first `on` measures all ranges before it runs.
      const long = verify > 0 || run?.interventions.some((edit) => edit.includes("=on"));
      return long
        ? longWork<WhyAnswer>("api/why", body, signal)
        : request<WhyAnswer>("POST", "api/why", { body, signal });
    },
    enabled: run !== null && target !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: (previous) => previous,
  });

export const headQuery = (head: string, lens = "") =>
  queryOptions({
    queryKey: ["head", head, lens],
    queryFn: ({ signal }) => {
      const through = lens === "" ? "" : `?lens=${encodeURIComponent(lens)}`;
      return request<HeadView>("GET", `api/heads/${encodeURIComponent(head)}${through}`, { signal });
    },
    enabled: head !== "",
    staleTime: 30_000,
  });
