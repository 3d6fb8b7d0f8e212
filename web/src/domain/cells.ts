// What each cell of the grid says and how strongly it is coloured. Pure: no canvas, no React.
import type { LensGrid } from "../api/types";

export type Colour = "probability" | "entropy" | "rank";

export interface Cell {
  text: string;
  /** 0 to 1. */
  strength: number;
  hue: "heat" | "entropy" | "up" | "down";
  /** In a comparison: whether the top token is another one. */
  changed: boolean;
}

/** The rank that counts as no colour at all. */
const FAR = 1000;
/** Nats of entropy, and of its change, that get the full colour. */
const WIDE = 8;

const closeness = (rank: number): number => Math.max(0, 1 - Math.log(rank) / Math.log(FAR));

function at<T>(rows: readonly (readonly T[])[], layer: number, position: number): T | undefined {
  return rows[layer]?.[position];
}

export function textAt(grid: LensGrid, layer: number, position: number): string {
  return grid.texts[String(at(grid.id, layer, position))] ?? "";
}

/** A cell of one run. */
export function cellOf(grid: LensGrid, layer: number, position: number, colour: Colour): Cell {
  const text = textAt(grid, layer, position);
  if (colour === "entropy") {
    const strength = Math.min((at(grid.entropy, layer, position) ?? 0) / WIDE, 1);
    return { text, strength, hue: "entropy", changed: false };
  }
  if (colour === "rank" && grid.token) {
    return { text, strength: closeness(at(grid.token.rank, layer, position) ?? FAR), hue: "heat", changed: false };
  }
  return { text, strength: at(grid.probability, layer, position) ?? 0, hue: "heat", changed: false };
}

/** A cell of the edited run, coloured by how it differs from the base. */
export function differenceOf(base: LensGrid, edited: LensGrid, layer: number, position: number, colour: Colour): Cell {
  const difference = change(base, edited, layer, position, colour);
  return {
    text: textAt(edited, layer, position),
    strength: Math.min(Math.abs(difference), 1),
    hue: difference >= 0 ? "up" : "down",
    changed: at(base.id, layer, position) !== at(edited.id, layer, position),
  };
}

function change(base: LensGrid, edited: LensGrid, layer: number, position: number, colour: Colour): number {
  if (colour === "entropy") {
    return ((at(edited.entropy, layer, position) ?? 0) - (at(base.entropy, layer, position) ?? 0)) / WIDE;
  }
  if (colour === "rank" && base.token && edited.token) {
    return (
      closeness(at(edited.token.rank, layer, position) ?? FAR) - closeness(at(base.token.rank, layer, position) ?? FAR)
    );
  }
  return (at(edited.probability, layer, position) ?? 0) - (at(base.probability, layer, position) ?? 0);
}

/** Whether two grids are of the same tokens, so that cells can be compared. */
export function comparable(a: LensGrid | undefined, b: LensGrid | undefined): b is LensGrid {
  return (
    a !== undefined && b !== undefined && a.tokens.length === b.tokens.length && a.layers.length === b.layers.length
  );
}
