// The grid column by column: which numbers of a run are another's too, and what has to be asked for. Pure.
//
// A position's residual streams depend on the tokens up to it and on the edits that reach it: an edit at position p
// changes no column before p, and in the columns that it reaches no layer before its own. A column is therefore known by
// its tokens so far and by those edits; the layers before the first edit are those of the column without edits.
import { parseEdit } from "./edit";
import { parseUnitName } from "./names";
import type { Run } from "./run";

/** What is known of a column: one entry for each layer from `from` on. */
export interface Column {
  from: number;
  id: readonly number[];
  probability: readonly number[];
  entropy: readonly number[];
  /** Of the followed token, where one was asked for. */
  rank: readonly number[] | null;
  followed: readonly number[] | null;
}

/** Where the numbers of one position of a run are found. */
export interface Source {
  /** The column without edits, and with those that reach it; the same where none does. */
  plain: string;
  edited: string;
  /** The first layer that edits change here. */
  from: number;
}

interface Reach {
  text: string;
  layer: number;
  position: number;
}

/** The first position that an edit can change, given how long the prompt is. */
function reachOf(text: string, promptLength: number): Reach {
  const found = parseEdit(text);
  if ("error" in found) return { text, layer: 0, position: 0 };
  const { value, scope } = found.ok;
  const first = /^\d+/.exec(scope.split(",").sort((a, b) => Number.parseInt(a) - Number.parseInt(b))[0] ?? "");
  const position =
    scope === "last" ? promptLength - 1 : scope === "generated" ? promptLength : first === null ? 0 : Number(first[0]);
  return { text, layer: parseUnitName(value)?.layer ?? 0, position };
}

/** Where each column of a run is found. `ids` are its tokens; a token that is followed makes columns of its own. */
export function sourcesOf(run: Run, ids: readonly number[], token: number | null): Source[] {
  const reaches = run.interventions.map((text) => reachOf(text, ids.length));
  let [low, high] = [0x811c9dc5, 0x1b873593];
  return ids.map((id, position) => {
    low = Math.imul(low ^ id, 0x01000193) >>> 0;
    high = Math.imul(high + id, 0x85ebca6b) >>> 0;
    high ^= high >>> 13;
    const reaching = reaches.filter((reach) => reach.position <= position);
    const plain = `${position} ${low.toString(36)} ${high.toString(36)} ${token ?? ""} ${run.lens ?? ""}`;
    if (reaching.length === 0) return { plain, edited: plain, from: 0 };
    // Where an edit reaches from does not matter once it does, where it ends may.
    const edited = `${plain} ${reaching.map(({ text }) => text).join(" ")}`;
    return { plain, edited, from: Math.min(...reaching.map(({ layer }) => layer)) };
  });
}

/** A request for some columns of one kind: of a run, from a layer on. */
export interface Batch {
  edited: boolean;
  from: number;
  positions: number[];
}

/**
 * What to ask for next of the positions that are wanted, the nearest to the selection first; null where all is known.
 * `plain` columns are needed for the layers before the edits, and `both` sides where A and B are compared.
 */
export function nextBatch(
  sources: readonly Source[],
  wanted: readonly number[],
  known: (key: string) => boolean,
  most: number,
): Batch | null {
  let batch: Batch | null = null;
  for (const position of wanted) {
    const source = sources[position];
    if (source === undefined) continue;
    const { plain, edited, from } = source;
    // The edited layers first: they are what changed.
    const missing =
      edited !== plain && !known(edited)
        ? { edited: true, from }
        : !known(plain) && (from > 0 || edited === plain)
          ? { edited: false, from: 0 }
          : null;
    if (missing === null) continue;
    if (batch === null) batch = { ...missing, positions: [position] };
    else if (batch.edited === missing.edited && batch.from === missing.from) batch.positions.push(position);
    if (batch.positions.length >= most) break;
  }
  return batch;
}

/** Positions in sight, the nearest to the selected one first. */
export function nearestFirst(first: number, last: number, selected: number): number[] {
  const found = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  return found.sort((a, b) => Math.abs(a - selected) - Math.abs(b - selected) || b - a);
}
