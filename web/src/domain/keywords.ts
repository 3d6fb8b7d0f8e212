// Writes keywords in the search's grammar; the server reads it. Tells what a search may have been meant to be. Pure.
import { canonicalName } from "./names";

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

/** The keyword for exactly this text. */
export const exactly = (text: string): string =>
  `"${text.replace(/[\\"\n\t\r]/g, (character) => ESCAPES[character] ?? `\\${character}`)}"`;

/** What a search may have been meant to be, and what to search instead. */
export type Hint =
  { kind: "unit"; unit: string } | { kind: "unwanted"; q: string; unwanted: string } | { kind: "anyCase"; q: string };

/** The text outside of quotes and of regular expressions, as long as it was, the rest blank. */
const bare = (text: string): string =>
  text.replace(/"(?:\\.|[^"\\])*"|(?<=^|,)\s*\/(?:\\.|[^/\\])+\/[a-z]*/g, (found) => " ".repeat(found.length));

/** Hints for a search; `failed` is whether it found no token. */
export function hintsFor(text: string, failed: boolean): Hint[] {
  const unit = canonicalName(text);
  if (unit !== null) return [{ kind: "unit", unit }];
  const hints: Hint[] = [];
  const minus = [...bare(text).matchAll(/(?<=\s)-(?=\S)([^,\s]+)/g)];
  if (minus.length > 0) {
    const q = minus.reduceRight(
      (left, found) => left.slice(0, found.index) + left.slice(found.index + found[0].length),
      text,
    );
    const tidy = q.replace(/\s+/g, " ").replace(/\s,/g, ",").trim();
    hints.push({ kind: "unwanted", q: tidy, unwanted: minus.map(([, word]) => word).join(", ") });
  }
  const pattern = /((?:^|,)\s*\/(?:\\.|[^/\\])+\/)(?![a-z])/g;
  if (failed && pattern.test(text)) hints.push({ kind: "anyCase", q: text.replace(pattern, "$1i") });
  return hints;
}
