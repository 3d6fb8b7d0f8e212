// How a result's score is written and what adding it as an edit means. Pure.
import type { SearchAnswer, SearchResult } from "../api/types";
import { percent, short } from "./numbers";
import type { Edit } from "./edit";

type Measure = SearchAnswer["measure"];

/** A score in its measure's unit: standard deviations, a cosine, a share. */
export function written(score: number, measure: Measure): string {
  if (measure === "z") return `${short(score)}σ`;
  if (measure === "cosine") return short(score);
  return score < 0 ? `\u2212${percent(-score)}` : percent(score);
}

export const MEANS: Record<Measure, string> = {
  z: "standard deviations of the keywords’ logits over the vocabulary",
  cosine: "cosine with the vector",
  share: "share of the read-out of the residual stream that this vector writes",
};

/**
 * The edit that tries a result out: vectors that say what was sought are switched on, on the side where they say it;
 * those that write a residual stream are switched off.
 */
export function editOf({ value, sign }: SearchResult, measure: Measure): Pick<Edit, "value" | "operation"> {
  if (measure === "share") return { value, operation: "off" };
  return { value, operation: sign === "-" ? "on-" : "on" };
}

export const OPERATION: Record<"on" | "on-" | "off", string> = { on: "on", "on-": "on\u2212", off: "off" };
