// What each cell of the map says and how strongly it is coloured. Pure: no canvas, no React.
import type { Column, Source } from "./columns";
import { ENTROPY, ENTROPY_CHANGE, PROBABILITY, PROBABILITY_CHANGE, RANK, RANK_CHANGE, type Scale } from "./scale";

export type Colour = "probability" | "token" | "entropy" | "rank";

/** The numbers of one cell. */
export interface Numbers {
  id: number;
  probability: number;
  entropy: number;
  rank: number | null;
  followed: number | null;
}

export interface Cell {
  /** The most probable token's id. */
  id: number;
  /** −1 to 1: how strongly it is coloured; one side only unless it is a difference. */
  strength: number;
  hue: "heat" | "entropy" | "change" | "token";
  /** In a comparison: whether the top token is another one. */
  changed: boolean;
}

type Lookup = (key: string) => Column | undefined;

/** A cell's numbers, or null where they are not known yet. */
export function numbersAt(source: Source | undefined, lookup: Lookup, layer: number): Numbers | null {
  if (source === undefined) return null;
  const column = lookup(layer < source.from ? source.plain : source.edited);
  const row = layer - (column?.from ?? 0);
  const id = column?.id[row];
  if (column === undefined || id === undefined) return null;
  return {
    id,
    probability: column.probability[row] ?? 0,
    entropy: column.entropy[row] ?? 0,
    rank: column.rank?.[row] ?? null,
    followed: column.followed?.[row] ?? null,
  };
}

/** The scale of a colour, of one run or of a difference. */
export function scaleOf(colour: Colour, difference: boolean): Scale {
  if (colour === "entropy") return difference ? ENTROPY_CHANGE : ENTROPY;
  if (colour === "rank") return difference ? RANK_CHANGE : RANK;
  return difference ? PROBABILITY_CHANGE : PROBABILITY;
}

/** A cell of one run; by token only the tokens that are followed have a colour, their own. */
export function cellOf(numbers: Numbers, colour: Colour, followed: ReadonlySet<number>): Cell {
  const { id, probability, entropy, rank } = numbers;
  const cell = (strength: number, hue: Cell["hue"]): Cell => ({ id, strength, hue, changed: false });
  if (colour === "entropy") return cell(ENTROPY.place(entropy), "entropy");
  if (colour === "rank") return cell(rank === null ? 0 : RANK.place(rank), "heat");
  if (colour === "token") return cell(followed.has(id) ? 1 : 0, "token");
  return cell(PROBABILITY.place(probability), "heat");
}

/** How much B differs from A in a cell: of the followed token, unless it is about entropy. */
export function changeOf(a: Numbers, b: Numbers, colour: Colour): number {
  if (colour === "entropy") return b.entropy - a.entropy;
  if (colour === "rank") return a.rank === null || b.rank === null ? 0 : Math.log10(a.rank / b.rank);
  if (a.followed !== null && b.followed !== null) return b.followed - a.followed;
  return a.id === b.id ? b.probability - a.probability : b.probability;
}

export function differenceOf(a: Numbers, b: Numbers, colour: Colour): Cell {
  const strength = scaleOf(colour, true).place(changeOf(a, b, colour));
  return { id: b.id, strength, hue: "change", changed: a.id !== b.id };
}
