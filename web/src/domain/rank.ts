// How tokens moved between two lists of the lens. Pure.
import type { SubUpdate, TokenScore } from "../api/types";

/** Places gained since the list before (positive: up); `new` if the token was not in it. */
export type RankChange = number | "new";

export function rankChange(id: number, now: number, before: readonly { id: number }[]): RankChange {
  const then = before.findIndex((token) => token.id === id);
  return then < 0 ? "new" : then - now;
}

/** The words for a rank change. */
export function describeChange(change: RankChange, listed: number): string {
  if (change === "new") return `not among the top ${listed} before`;
  if (change === 0) return "same rank as before";
  const places = Math.abs(change) === 1 ? "place" : "places";
  return `${change > 0 ? "up" : "down"} ${Math.abs(change)} ${places}`;
}

export interface TokenDifference {
  id: number;
  text: string;
  /** Null where the run does not list it. */
  base: number | null;
  edited: number | null;
  /** edited − base; of a token that one run does not list, what is certain: it has no more there than the last listed. */
  difference: number;
}

/** The tokens of both lists, those that moved most first. */
export function tokenDifferences(base: readonly TokenScore[], edited: readonly TokenScore[]): TokenDifference[] {
  const lastBase = base.at(-1)?.probability ?? 0;
  const lastEdited = edited.at(-1)?.probability ?? 0;
  const found = new Map<number, TokenDifference>();
  for (const { id, text, probability } of edited) {
    const difference = Math.max(0, probability - lastBase);
    found.set(id, { id, text, base: null, edited: probability, difference });
  }
  for (const { id, text, probability } of base) {
    const other = found.get(id)?.edited ?? null;
    const difference = other === null ? Math.min(0, lastEdited - probability) : other - probability;
    found.set(id, { id, text, base: probability, edited: other, difference });
  }
  return [...found.values()].sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
}

export interface ValueDifference {
  value: string;
  base: SubUpdate | null;
  edited: SubUpdate | null;
  /** |change of the coefficient| · norm; of a vector that one run does not list, what is certain. */
  size: number;
}

/** The sub-updates of both lists, those that changed most first. */
export function valueDifferences(base: readonly SubUpdate[], edited: readonly SubUpdate[]): ValueDifference[] {
  const least = (list: readonly SubUpdate[]) => Math.min(...list.map(({ score }) => score));
  const [leastBase, leastEdited] = [least(base), least(edited)];
  const byName = new Map(base.map((update) => [update.value, update]));
  const result: ValueDifference[] = edited.map((update) => {
    const other = byName.get(update.value);
    byName.delete(update.value);
    const size = other === undefined ? Math.max(0, update.score - leastBase) : distance(other, update);
    return { value: update.value, base: other ?? null, edited: update, size };
  });
  for (const update of byName.values()) {
    const size = Math.max(0, update.score - leastEdited);
    result.push({ value: update.value, base: update, edited: null, size });
  }
  return result.sort((a, b) => b.size - a.size);
}

const distance = (base: SubUpdate, edited: SubUpdate): number =>
  Math.abs(edited.coefficient - base.coefficient) * edited.norm;
