// The one place where numbers become lengths and colours: each scale has a unit, a floor below which it shows nothing
// but says "below", and marks for its legend. Pure.
import { percent, points, short, thousands } from "./numbers";

/** How opaque the strongest colour behind a text is: in both themes the text stays readable on it. */
export const STRONGEST = 0.5;

export interface Scale {
  unit: string;
  /** 0 to 1; for a scale with two sides −1 to 1. */
  place: (value: number) => number;
  /** Values for a legend, in order. */
  marks: readonly number[];
  write: (value: number) => string;
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Probability, linear: what a bar is as long as. */
export const PROBABILITY: Scale = {
  unit: "probability",
  place: (value) => clamp(value, 0, 1),
  marks: [0, 0.5, 1],
  write: percent,
};

/** Nats that get the full colour. */
const WIDE = 8;

export const ENTROPY: Scale = {
  unit: "nats",
  place: (value) => clamp(value / WIDE, 0, 1),
  marks: [0, WIDE / 2, WIDE],
  write: short,
};

const FAR = 1000;

/** Rank 1 has the full colour, rank 1,000 and beyond has none. */
export const RANK: Scale = {
  unit: "rank",
  place: (value) => clamp(1 - Math.log(value) / Math.log(FAR), 0, 1),
  marks: [FAR, 100, 10, 1],
  write: (value) => (value >= FAR ? `≥ ${thousands(FAR)}` : thousands(value)),
};

/** A scale with two sides: nothing up to the floor, then one step of colour for each factor of ten. */
export function diverging(unit: string, floor: number, most: number, write: (value: number) => string): Scale {
  const decades = Math.log10(most / floor);
  const place = (value: number): number => {
    const size = Math.abs(value);
    if (!(size > floor)) return 0;
    return Math.sign(value) * clamp(0.12 + (0.88 * Math.log10(size / floor)) / decades, 0, 1);
  };
  const sides = Array.from({ length: Math.round(decades) }, (_, index) => most / 10 ** index);
  return { unit, place, marks: [...sides.map((mark) => -mark), 0, ...[...sides].reverse()], write };
}

/** Differences of a probability, of an entropy, and of a rank in factors of ten. */
export const PROBABILITY_CHANGE = diverging("Δ points", 1e-4, 1, points);
export const ENTROPY_CHANGE = diverging("Δ nats", 1e-2, 10, (value) => short(value));
export const RANK_CHANGE = diverging("rank ×", 0.03, 3, (value) => (value === 0 ? "1" : `10^${short(value)}`));
