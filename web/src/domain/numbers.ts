// Numbers as they are written on the page. Pure.

const MINUS = "\u2212";
const RAISED: Record<string, string> = {
  ...{ "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹" },
  "-": "⁻",
};

/** A power of ten: 10⁻⁷. */
export const power = (exponent: number): string =>
  `10${Array.from(String(exponent), (digit) => RAISED[digit] ?? digit).join("")}`;

/** One digit and a power of ten: 2·10⁻⁷; 0 is 0. */
export function scientific(value: number): string {
  if (value === 0) return "0";
  const [digit = "", exponent = "0"] = Math.abs(value).toExponential(0).split("e");
  return `${value < 0 ? MINUS : ""}${digit === "1" ? "" : `${digit}·`}${power(Number(exponent))}`;
}

/** Decimals that a percentage of this size is written with. */
const decimalsOf = (value: number): number => (value >= 99.5 ? 1 : value >= 9.95 ? 0 : value >= 0.995 ? 1 : 2);

/** A probability in at most five characters: 42%, 9.8%, 0.31%, <0.01%. */
export function percent(probability: number): string {
  const value = probability * 100;
  if (value >= 99.95) return "100%";
  if (value >= 0.01) return `${value.toFixed(decimalsOf(value))}%`;
  return value > 0 ? "<0.01%" : "0%";
}

/** Decimals of a difference of percentages. */
const decimalsOfChange = (size: number): number => (size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2);

/** A difference of probabilities in percentage points, with its sign. */
export function points(difference: number): string {
  const value = difference * 100;
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  return `${value > 0 ? "+" : MINUS}${size.toFixed(decimalsOfChange(size))}`;
}

/** Two probabilities and their difference in points, to as many decimals that they agree: 3.74%, 3.75%, +0.01. */
export function change(a: number, b: number): { a: string; b: string; delta: string } {
  const size = Math.abs(b - a) * 100;
  const alike = size < 0.005;
  const decimals = alike ? 2 : decimalsOfChange(size);
  const write = (value: number) => {
    if (value === 0) return "0%";
    const needed = Math.max(decimals, decimalsOf(value * 100));
    const text = (value * 100).toFixed(needed);
    return value > 0 && Number(text) === 0 ? "<0.01%" : `${value * 100 >= 99.995 ? "100" : text}%`;
  };
  if (alike && percent(a) === percent(b)) return { a: percent(a), b: percent(b), delta: "0" };
  if (alike) return { a: write(a), b: write(b), delta: "0" };
  const rounded = (value: number) => Number((value * 100).toFixed(decimals));
  const delta = rounded(b) - rounded(a);
  return { a: write(a), b: write(b), delta: `${delta >= 0 ? "+" : MINUS}${Math.abs(delta).toFixed(decimals)}` };
}

/** Three significant digits with a true minus sign. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 0.0005) return scientific(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 || size === 0 ? 2 : 3;
  const text = size === 0 ? "0" : size.toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** As `short`, with a plus sign where it is positive. */
export const signed = (value: number): string => (value > 0 ? `+${short(value)}` : short(value));

/** How far two predictions are apart; what is below a thousandth is said so. */
export const nats = (value: number): string => (value === 0 ? "0" : value < 0.001 ? "<0.001" : short(value));

export const thousands = (value: number): string => value.toLocaleString("en");
