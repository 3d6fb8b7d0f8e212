// The text of an edit, `VALUE OP [@SCOPE]`, read and written. The server's grammar decides; this one helps typing.

import { cutDirection } from "./direction";
import { canonicalName } from "./names";

export type Operation = "off" | "on" | "on-" | "layermax" | "=" | "*=" | "+=";

export interface Edit {
  /** The unit's name: a value vector's or a head's. */
  value: string;
  operation: Operation;
  /** The number of `=`, `*=` and `+=`; of `on` and `on-` the strength, null for 1; otherwise null. */
  amount: number | null;
  /** `all`, `prompt`, `generated`, `last`, or positions such as `3,5-7`. */
  scope: string;
}

export interface Concept {
  name: string;
  /** Scales all edits of the group, from 0 to STRONGEST; 1 leaves them as they are. */
  strength: number;
  enabled: boolean;
}

/** An edit in the list: kept while it is switched off. */
export interface ListedEdit extends Edit {
  enabled: boolean;
  /** The group that it belongs to, if any. */
  concept?: Concept;
}

export type Parsed<T> = { ok: T } | { error: string };

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WORDS: readonly string[] = ["off", "on", "on-", "layermax"];
const NAMED_SCOPES: readonly string[] = ["all", "prompt", "generated", "last"];

/** Read an edit. A name alone is read as switching the vector off. */
export function parseEdit(text: string): Parsed<Edit> {
  const cut = cutDirection(text);
  if (cut !== null && "error" in cut) return cut;
  const plain = (cut?.rest ?? text).replace(/[\u2010-\u2013\u2212\uFE63\uFF0D]/g, "-").trim();
  if (plain === "" && cut === null) {
    return { error: "Write a unit, such as L12D345 or L12H3, or an edit, such as L12D345=on." };
  }
  const at = plain.indexOf("@");
  const body = (at < 0 ? plain : plain.slice(0, at)).trim();
  const parts = /^([^=*+-]*?)\s*(?:(\*=|\+=|-=|=)\s*(.*))?$/s.exec(body);
  const value =
    parts === null ? null : cut === null ? canonicalName(parts[1] ?? "") : parts[1] === "" ? cut.name : null;
  if (parts === null || value === null) {
    return {
      error: `“${body}” does not name a value vector or a head. Write layer and number as in L12D345 or L12H3.`,
    };
  }
  const scope = at < 0 ? { ok: "all" } : parseScope(plain.slice(at + 1));
  if ("error" in scope) return scope;
  const change = parseOperation(value, parts[2], (parts[3] ?? "").trim().toLowerCase());
  if ("error" in change) return change;
  return { ok: { value, ...change.ok, scope: scope.ok } };
}

function parseOperation(
  value: string,
  operator: string | undefined,
  operand: string,
): Parsed<Pick<Edit, "operation" | "amount">> {
  if (operator === undefined) return { ok: { operation: "off", amount: null } };
  if (operator === "=" && WORDS.includes(operand)) return { ok: { operation: operand as Operation, amount: null } };
  const strong = operator === "=" ? /^(on-?)\s*\*\s*(.*)$/s.exec(operand) : null;
  if (strong !== null) return parseStrength(value, strong[1] as "on" | "on-", strong[2] ?? "");
  const amount = NUMBER.test(operand) ? Number(operand) : NaN;
  if (!Number.isFinite(amount)) {
    return { error: `“${operand}” is not an operation. Use ${value}=off, =on, =on-, =on*0.5, =3.5, *=2 or +=1.` };
  }
  if (operator === "-=") return { ok: { operation: "+=", amount: -amount } };
  return { ok: { operation: operator as Operation, amount } };
}

/** Read what stands after `on*`. */
function parseStrength(
  value: string,
  operation: "on" | "on-",
  text: string,
): Parsed<Pick<Edit, "operation" | "amount">> {
  const factor = NUMBER.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(factor)) return { error: `“${text}” is not a number. Write ${value}=${operation}*0.5.` };
  if (factor < 0) {
    const other = operation === "on" ? "on-" : "on";
    return { error: `The factor ${text} is negative. Write ${value}=${other} for the other side.` };
  }
  return { ok: { operation, amount: factor === 1 ? null : Math.abs(factor) } };
}

/** Read what stands after `@`. */
export function parseScope(text: string): Parsed<string> {
  const word = text.trim().toLowerCase();
  if (NAMED_SCOPES.includes(word)) return { ok: word };
  const parts = word.split(",").map((part) => part.trim());
  for (const part of parts) {
    const match = /^(\d{1,9})(?:\s*-\s*(\d{1,9}))?$/.exec(part);
    if (match === null) return { error: `“${word}” is not a scope. Use all, prompt, generated, last, or 3,5-7.` };
    if (match[2] !== undefined && Number(match[2]) < Number(match[1])) {
      return { error: `The range “${part}” runs backwards.` };
    }
  }
  return { ok: parts.map((part) => part.replace(/\s/g, "")).join(",") };
}

/** The edit's text, as the server, the command line and a recipe take it. */
export function formatEdit(edit: Edit): string {
  const scope = edit.scope === "all" ? "" : `@${edit.scope}`;
  const word = edit.operation.endsWith("=") ? edit.operation : `=${edit.operation}`;
  const mark = edit.operation === "on" || edit.operation === "on-" ? "*" : "";
  const change = edit.amount === null ? word : `${word}${mark}${edit.amount}`;
  return `${edit.value}${change}${scope}`;
}

/**
 * The same edits for a run over the prompt and what was generated after it, where all tokens are the prompt:
 * scopes that speak of the prompt's end become positions. An edit that then has no position is left out.
 */
export function overContinuation(edits: Edit[], promptLength: number, total: number): Edit[] {
  if (total <= promptLength) return edits;
  return edits.map((edit) => {
    if (edit.scope === "prompt") return { ...edit, scope: `0-${promptLength - 1}` };
    if (edit.scope === "generated") return { ...edit, scope: `${promptLength}-${total - 1}` };
    if (edit.scope === "last") return { ...edit, scope: `${promptLength - 1}` };
    return edit;
  });
}
