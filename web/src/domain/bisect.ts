// Where two runs part: what is asked for A and B, another prompt or another model, and how an answer is coloured and said.
// Pure.
import type { Bisection, PostBody } from "../api/types";
import { bare, sameRun, type Run } from "./run";

export type BisectBody = PostBody<"/api/bisect">;

/** Where nobody says how far two models go on; and the most that the server allows. */
export const FAR = 30;
export const MOST_BISECTED = 1000;

interface Asked {
  a: Run | null;
  b: Run | null;
  /** Whether A is B without its edits. */
  base: boolean;
  /** Another prompt, instead of A; "" for none. */
  source: string;
  /** The other model, instead of another run; null for none. */
  other: string | null;
  /** Tokens that two models write at most until one differs. */
  most: number;
  /** B's token ids. */
  ids: readonly number[];
  position: number;
}

/**
 * Null where there are no two runs. Without edits against with them, this run is A; else it is B. Two models go on from the
 * position: what B has after it is left out.
 */
export function bisectionAsked({ a, b, base, source, other, most, ids, position }: Asked): BisectBody | null {
  if (b === null) return null;
  const mine = { ...bare(b), position };
  if (other !== null) {
    const whole = position === ids.length - 1;
    return {
      ...(whole ? mine : { ids: ids.slice(0, position + 1), interventions: b.interventions, position }),
      other: true,
      max_new_tokens: most,
    };
  }
  if (source !== "") return { ...mine, source };
  if (a === null || sameRun(bare(a), bare(b))) return null;
  if (base) return mine;
  const theirs = a.ids === undefined ? { source: a.prompt ?? "" } : { source_ids: a.ids };
  return { ...mine, ...theirs, source_interventions: a.interventions };
}

/** What the two runs of an answer are called: the one that is changed, and the one that is taken over. */
export const sidesOf = ({ source, base, other }: Pick<Asked, "source" | "base" | "other">): Sides =>
  other !== null
    ? { here: "this model", there: nameOf(other) }
    : source !== ""
      ? { here: "this run", there: "the other prompt" }
      : base
        ? { here: "A", there: "B" }
        : { here: "B", there: "A" };

export interface Sides {
  here: string;
  there: string;
}

/** The last part of a hub id or a path, by which a model is told from another. */
export const nameOf = (model: string): string => model.split(/[/\\]/).findLast((part) => part !== "") ?? model;

/** How far two models write alike, in words; "" if the first token differs. Where they never differ, the last one is compared. */
export function alikeSaid({ generated = 0, answer, other }: Pick<Bisection, "generated" | "answer" | "other">): string {
  const alike = generated + (answer.id === other.id ? 1 : 0);
  return alike === 0 ? "" : `both write ${alike === 1 ? "1 token" : `${alike} tokens`} alike`;
}

/** 0: as without a swap; 1: as far as any swap brings it; below 0, the other way. */
export function strengthOfLead({ answer, other, frontier, cells }: Bisection, value: number | null): number {
  if (value === null) return 0;
  const here = other.logit - answer.logit;
  const most = Math.max(...(frontier ?? []), ...(cells ?? []).flat().map((cell) => cell ?? -Infinity));
  return most <= here ? 0 : Math.max(-1, Math.min(1, (value - here) / (most - here)));
}

const PARTS: Record<NonNullable<Bisection["part"]>, string> = {
  attention: "attention",
  ffn: "feed-forward",
  layer: "the whole layer",
  embedding: "the embedding",
  "read-out": "the read-out",
};

/** Where it tips, in words. */
export function placeSaid({ layer, part }: Pick<Bisection, "layer" | "part">): string {
  if (part === null) return "both give the same answer";
  return layer === null || part === "embedding" ? PARTS[part] : `layer ${layer}, ${PARTS[part]}`;
}
