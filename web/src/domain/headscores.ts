// The scores of a prompt's heads: what each is called, what it says, and the order that it gives. Pure.
import type { HeadRow } from "../api/types";
import { parseUnitName } from "./names";

export type HeadOrder = "norm" | "share" | "previous" | "induction" | "duplicate" | "first" | "layer";

export interface HeadColumn {
  order: Exclude<HeadOrder, "layer">;
  name: string;
  means: string;
}

export const HEAD_COLUMNS: readonly HeadColumn[] = [
  { order: "norm", name: "length", means: "length of what it writes at the position" },
  { order: "share", name: "share", means: "its part of what the layer’s attention writes at the position" },
  { order: "previous", name: "previous", means: "mean attention to the token before" },
  { order: "induction", name: "induction", means: "where a token came before, mean attention to what followed it" },
  { order: "duplicate", name: "duplicate", means: "where a token came before, mean attention to it" },
  { order: "first", name: "first", means: "mean attention to the first token" },
];

/** What a column is about, null where the head has none. */
export const scoreOf = (head: HeadRow, order: HeadColumn["order"]): number | null => head[order] ?? null;

/** Heads with the largest score first, those without one last; by layer as the network has them, from the last down. */
export function orderedHeads(heads: readonly HeadRow[], order: HeadOrder): HeadRow[] {
  if (order === "layer") {
    const place = ({ head }: HeadRow) => {
      const parts = parseUnitName(head);
      return parts === null ? 0 : -parts.layer * 1e6 + parts.dimension;
    };
    return [...heads].sort((a, b) => place(a) - place(b));
  }
  const size = (head: HeadRow) => scoreOf(head, order) ?? -Infinity;
  return [...heads].sort((a, b) => size(b) - size(a));
}
