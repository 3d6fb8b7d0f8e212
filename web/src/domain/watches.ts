// What watches give, laid out to be drawn: along the layers or along the tokens of a continuation. Pure.
import type { WatchPath, WatchSeries } from "../api/types";

export type WatchValue = WatchPath["value"];

/** One watch along an axis. */
export interface Course {
  expression: string;
  kind: WatchPath["kind"];
  /** At the output, or of the last token. */
  end: WatchValue;
  /** Layers, with the place before the feed-forward half a layer earlier; or tokens from 1. */
  x: number[];
  values: WatchValue[];
}

/** A watch through the layers, of the run itself. */
export function throughLayers({ expression, kind, value, before, values }: WatchPath): Course {
  const x = values.flatMap((_, layer) => [layer - 0.5, layer]);
  return { expression, kind, end: value, x, values: values.flatMap((after, layer) => [before[layer] ?? null, after]) };
}

/** The same of the run without edits, which is read after the layers only; null where there are no edits. */
export function baselineThroughLayers({ expression, kind, baseline, baseline_values }: WatchPath): Course | null {
  const values = baseline_values ?? null;
  if (values === null) return null;
  const x = values.flatMap((_, layer) => [layer - 0.5, layer]);
  return { expression, kind, end: baseline ?? null, x, values: values.flatMap((after) => [null, after]) };
}

/** A watch along the tokens of a continuation. */
export function throughSteps({
  expression,
  kind,
  values,
}: Pick<WatchSeries, "expression" | "kind" | "values">): Course {
  return { expression, kind, end: values.at(-1) ?? null, x: values.map((_, step) => step + 1), values: [...values] };
}

/** What can be drawn as a line; a truth is 0 or 1. */
export const numbersOf = (values: readonly WatchValue[]): (number | null)[] =>
  values.map((value) => (typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : null));

export const isText = ({ kind }: Pick<Course, "kind">): boolean => kind === "token" || kind === "text";

export interface Stretch {
  first: number;
  last: number;
  value: WatchValue;
}

/** The places at which a value stays the same, one after the other; places without a value are passed over. */
export function stretches({ x, values }: Pick<Course, "x" | "values">): Stretch[] {
  const found: Stretch[] = [];
  values.forEach((value, index) => {
    const at = x[index] ?? 0;
    const before = found.at(-1);
    if (value === null) return;
    if (before?.value === value) before.last = at;
    else found.push({ first: at, last: at, value });
  });
  return found;
}
