// Slider units: 1 is the vector's own `on`, −1 its own `on-`, 0 is off. Pure arithmetic, no React.
import type { CoefficientRange } from "../api/types";
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
    case "on": {
      const strength = edit.amount ?? 1;
      return range !== null && range.high <= 0 ? toUnits(strength * range.high, range) : strength;
    }
    case "on-": {
      const strength = edit.amount ?? 1;
      return range !== null && range.low >= 0 ? toUnits(strength * range.low, range) : -strength;
    }
    case "=":
      return range === null || edit.amount === null ? null : toUnits(edit.amount, range);
    case "*=":
    case "+=":
    case "layermax":
      return null;
  }
}

/** The edit's operation for a place on the slider: in the vector's own units where it has them, otherwise a number. */
export function atSlider(units: number, range: Ends): Pick<Edit, "operation" | "amount"> {
  const place = Number((Math.round(units / STEP) * STEP).toFixed(2));
  if (place === 0) return { operation: "off", amount: null };
  const strength = Math.abs(place) === 1 ? null : Math.abs(place);
  if (place > 0 && range.high > 0) return { operation: "on", amount: strength };
  if (place < 0 && range.low < 0) return { operation: "on-", amount: strength };
  return { operation: "=", amount: Number(toCoefficient(place, range).toPrecision(4)) };
}
