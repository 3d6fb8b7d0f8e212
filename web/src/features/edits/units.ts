// Slider units: 1 is the vector's own `on`, −1 its own `on-`, 0 is off. Pure arithmetic, no React.
import type { CoefficientRange } from "../../api/types";
import type { Edit } from "./edit";

export const LIMIT = 2;
export const STEP = 0.05;

type Ends = Pick<CoefficientRange, "low" | "high">;

/** What one unit on a side is worth in raw coefficient; a side that the vector never uses borrows the other's. */
export function unitSizes(range: Ends): { positive: number; negative: number } {
  const high = Math.max(range.high, 0);
  const low = Math.max(-range.low, 0);
  return { positive: high || low || 1, negative: low || high || 1 };
}

/** The raw coefficient at a place of the slider. */
export function toCoefficient(units: number, range: Ends): number {
  const { positive, negative } = unitSizes(range);
  return units >= 0 ? units * positive : units * negative;
}

/** The place on the slider of a raw coefficient. */
export function toUnits(coefficient: number, range: Ends): number {
  const { positive, negative } = unitSizes(range);
  return coefficient >= 0 ? coefficient / positive : coefficient / negative;
}

/** Where the slider stands for an edit; null where the edit has no one coefficient. */
export function sliderOf(edit: Edit, range: Ends | null): number | null {
  switch (edit.operation) {
    case "off":
      return 0;
    case "on":
      return range !== null && range.high <= 0 ? toUnits(range.high, range) : 1;
    case "on-":
      return range !== null && range.low >= 0 ? toUnits(range.low, range) : -1;
    case "=":
      return range === null || edit.amount === null ? null : toUnits(edit.amount, range);
    case "*=":
    case "+=":
    case "layermax":
      return null;
  }
}

/** The edit's operation for a place on the slider: the words where they mean the same, otherwise a number. */
export function atSlider(units: number, range: Ends): Pick<Edit, "operation" | "amount"> {
  const place = Math.round(units / STEP) * STEP;
  if (Math.abs(place) < STEP / 2) return { operation: "off", amount: null };
  if (Math.abs(place - 1) < STEP / 2 && range.high > 0) return { operation: "on", amount: null };
  if (Math.abs(place + 1) < STEP / 2 && range.low < 0) return { operation: "on-", amount: null };
  return { operation: "=", amount: Number(toCoefficient(place, range).toPrecision(4)) };
}
