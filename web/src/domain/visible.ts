// Token text made safe to look at: one line, nothing invisible. Pure; React renders the result as text.

const SHOWN: Record<string, string> = { " ": "·", "\n": "↵", "\t": "⇥", "\x7f": "␡", "\xa0": "⍽" };
/** A space alone: its · would be taken for a full stop. */
const LONE = "␣";
const INVISIBLE = /^[\p{Cc}\p{Cf}\p{Cs}\p{Zs}\p{Zl}\p{Zp}\uFE00-\uFE0F]$/u;

function show(character: string): string {
  const known = SHOWN[character];
  if (known !== undefined) return known;
  if (!INVISIBLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code < 0x100 ? `\\x${code.toString(16)}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Spaces as `·`, one alone as `␣`, one that does not break as `⍽`, newlines as `↵`, other invisible characters as symbols or escapes. */
export function visible(text: string): string {
  if (text === " ") return LONE;
  const shown = Array.from(text, show).join("");
  return /^\p{M}/u.test(text) ? `◌${shown}` : shown;
}
