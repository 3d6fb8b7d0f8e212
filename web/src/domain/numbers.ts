// Numbers as they are written on the page. Pure.

const MINUS = "\u2212";

/** A probability in at most five characters: 42%, 9.8%, 0.31%, <0.01%. */
export function percent(probability: number): string {
  const value = probability * 100;
  if (value >= 99.95) return "100%";
  if (value >= 9.95) return `${value.toFixed(value >= 99.5 ? 1 : 0)}%`;
  if (value >= 0.995) return `${value.toFixed(1)}%`;
  if (value >= 0.01) return `${value.toFixed(2)}%`;
  return value > 0 ? "<0.01%" : "0%";
}

/** A difference of probabilities in percentage points, with its sign. */
export function points(difference: number): string {
  const value = difference * 100;
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  return `${value > 0 ? "+" : MINUS}${size.toFixed(size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2)}`;
}

/** Three significant digits with a true minus sign. */
export function short(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text =
    size === 0 ? "0" : size < 0.001 ? size.toExponential(0) : size < 0.01 ? size.toFixed(3) : size.toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** As `short`, with a plus sign where it is positive. */
export const signed = (value: number): string => (value > 0 ? `+${short(value)}` : short(value));

export const thousands = (value: number): string => value.toLocaleString("en");
