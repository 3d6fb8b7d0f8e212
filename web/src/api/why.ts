// What the page asks about who wrote a token, and about heads, as TanStack queries.
import { queryOptions } from "@tanstack/react-query";
import type { Run } from "../domain/run";
import { request } from "./client";
import { longWork } from "./longwork";
import type { HeadView, PostBody, WhyAnswer } from "./types";

/** Parts listed at most. */
const LISTED = 40;

/** How the question is put. */
export interface WhyOptions {
  /** So many of the likeliest parts are ablated one by one, and what that does is measured. */
  verify: number;
  estimate: "default" | "gradient" | "integrated" | "relevance";
  ablate: "zero" | "mean" | "resample";
  resample: string;
  sources: boolean;
}

/**
 * The units of all layers by their direct effect on a token's logit, or on its lead over another's. Without verification,
 * nothing is estimated unless it is asked for: that takes a gradient, which of 2,000 tokens is half a minute of the model's
 * one thread.
 */
export const whyQuery = (
  run: Run | null,
  position: number,
  target: number | null,
  versus: number | null,
  options: WhyOptions,
) =>
  queryOptions({
    queryKey: ["why", run, position, target, versus, options],
    queryFn: ({ signal }) => {
      const asked = askedOf(options);
      const body: PostBody<"/api/why"> = {
        ...{ ...run, position, target_id: target, against_id: versus, top_k: LISTED },
        ...asked,
      };
      // The first `on` measures all ranges before it runs.
      const long =
        asked.estimate !== false || options.sources || run?.interventions.some((edit) => edit.includes("=on"));
      return long
        ? longWork<WhyAnswer>("api/why", body, signal)
        : request<WhyAnswer>("POST", "api/why", { body, signal });
    },
    enabled: run !== null && target !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: (previous) => previous,
    retry: false,
  });

/** The options as they are sent: another prompt is waited for, and nothing is estimated that nobody asked for. */
export function askedOf({ verify, estimate, ablate, resample, sources }: WhyOptions) {
  const place = ablate === "resample" && resample === "" ? "zero" : ablate;
  return {
    verify,
    estimate: estimate === "default" ? verify > 0 || place !== "zero" : estimate,
    sources,
    ...(place === "zero" ? {} : { ablate: place }),
    ...(place === "resample" ? { resample } : {}),
  };
}

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
