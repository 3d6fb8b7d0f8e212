// What the page asks about who wrote a token, and about heads, as TanStack queries.
import { queryOptions } from "@tanstack/react-query";
import type { Run } from "../domain/run";
import { request } from "./client";
import { longWork } from "./longwork";
import type { HeadDetails, WhyAnswer } from "./types";

/** The units of all layers by their direct effect on a token's logit, or on its lead over another's. */
export const whyQuery = (run: Run | null, position: number, target: number | null, versus: number | null, topK = 40) =>
  queryOptions({
    queryKey: ["why", run, position, target, versus, topK],
    queryFn: ({ signal }) => {
      const body = { ...run, position, target_id: target, against_id: versus, top_k: topK };
      // The first `on` measures all ranges before it runs.
      const long = run?.interventions.some((edit) => edit.includes("=on"));
      return long
        ? longWork<WhyAnswer>("api/why", body, signal)
        : request<WhyAnswer>("POST", "api/why", { body, signal });
    },
    enabled: run !== null && target !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: (previous) => previous,
  });

export const headQuery = (head: string) =>
  queryOptions({
    queryKey: ["head", head],
    queryFn: ({ signal }) => request<HeadDetails>("GET", `api/heads/${encodeURIComponent(head)}`, { signal }),
    enabled: head !== "",
    staleTime: 30_000,
  });
