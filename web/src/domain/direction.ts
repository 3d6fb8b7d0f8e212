// Names of directions of the residual stream, as edits say them: `L12R(" Paris")`, `L12-20R(from "…" to "…")`. Pure; the
// server's `records/direction.py` decides.

const HEAD = /^\s*L(\d{1,9})(?:\s*-\s*(\d{1,9}))?R\s*\(/i;
const PART = /\s*(?:("(?:[^"\\]|\\.)*")|([a-z0-9][a-z0-9_-]*)|(<>|[+-]))/isy;
const LOGIT = "logit";

/** Whether a name is a direction's. */
export const isDirection = (name: string): boolean => HEAD.test(name);

/** Whether a direction is two that are exchanged. */
export const isExchange = (name: string): boolean =>
  isDirection(name) && partsOf(name.slice(name.indexOf("(") + 1, -1))?.includes("<>") === true;

/** The first layer of a direction. */
export const layerOf = (name: string): number => Number(HEAD.exec(name)?.[1] ?? 0);

/** The text cut after a direction, which gets its one spelling; null if it does not begin as one. */
export function cutDirection(text: string): { name: string; rest: string } | { error: string } | null {
  const head = HEAD.exec(text);
  if (head === null) return null;
  const end = closing(text, head[0].length);
  if (end < 0) return { error: `“${text.trim()}” lacks a closing parenthesis or quote.` };
  const first = Number(head[1]);
  const last = Number(head[2] ?? head[1]);
  if (last < first) return { error: `The layers of “${text.trim()}” run backwards.` };
  const inside = spelled(text.slice(head[0].length, end));
  if (inside === null) {
    return {
      error: `“${text.slice(0, end + 1).trim()}” names no direction. Write L12R(" Paris"), L12R("…" - "…") or L12R(from "…" to "…").`,
    };
  }
  return { name: `L${first}${last > first ? `-${last}` : ""}R(${inside})`, rest: text.slice(end + 1) };
}

function closing(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    if (quoted && text[at] === "\\") at++;
    else if (text[at] === '"') quoted = !quoted;
    else if (text[at] === ")" && !quoted) return at;
  }
  return -1;
}

function partsOf(inside: string): string[] | null {
  const parts: string[] = [];
  let at = 0;
  while (inside.slice(at).trim() !== "") {
    PART.lastIndex = at;
    const match = PART.exec(inside);
    if (match === null) return null;
    parts.push(match[1] ?? match[2]?.toLowerCase() ?? match[3] ?? "");
    at = PART.lastIndex;
  }
  return parts;
}

/** The one spelling of what stands in the parentheses, or null where it says nothing. */
function spelled(inside: string): string | null {
  const parts = partsOf(inside);
  if (parts === null || parts.length === 0) return null;
  if (parts.length === 1 && !isText(parts[0])) return isWord(parts[0]) ? (parts[0] ?? null) : null;
  if (parts[0] === "from") {
    const [, from, to, end] = parts;
    const whole = parts.length === 4 && to === "to" && isText(from) && isText(end);
    return whole ? `from ${textOf(from)} to ${textOf(end)}` : null;
  }
  const lens = parts.length > 2 && parts.at(-2) === "by" && isWord(parts.at(-1)) ? parts.splice(-2)[1] : LOGIT;
  const words = sum(parts);
  return words === null ? null : words + (lens === LOGIT || /^random \d+$/.test(words) ? "" : ` by ${lens}`);
}

function sum(parts: string[]): string | null {
  const found: string[] = [];
  const rest = parts[0] === "-" ? [...parts] : ["+", ...parts];
  while (rest.length > 0) {
    const mark = rest.shift();
    let word = rest.shift();
    if (mark === undefined || !["+", "-", "<>"].includes(mark) || word === undefined) return null;
    if (word === "random" && /^\d+$/.test(rest[0] ?? "")) word = `random ${Number(rest.shift())}`;
    else if (isText(word) && textOf(word) !== '""') word = textOf(word);
    else return null;
    if (mark === "<>" && found.length !== 1) return null;
    found.push(found.length === 0 && mark === "+" ? word : `${mark} ${word}`);
  }
  if (found.some((each) => each.startsWith("<>")) && (found.length !== 2 || parts[0] === "-")) return null;
  return found.join(" ");
}

const isText = (part: string | undefined): part is string => {
  if (part?.startsWith('"') !== true) return false;
  try {
    return typeof JSON.parse(part) === "string";
  } catch {
    return false;
  }
};
const isWord = (part: string | undefined): part is string => /^[a-z0-9][a-z0-9_-]*$/.test(part ?? "");
const textOf = (part: string): string => JSON.stringify(JSON.parse(part));
