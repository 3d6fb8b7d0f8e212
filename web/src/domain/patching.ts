// What a cell of a patch map says: how far a patch brings this run's difference to the other run's. Pure.
import type { PathEffect, PatchMap } from "../api/types";
import { parseUnitName } from "./names";

/** The differences between which a patch moves. */
type Ends = Pick<PatchMap, "difference" | "other_difference" | "cells">;

/** 0: as this run; 1: as the other one; beyond, and below 0, the other way. Null where nothing is patched. */
export function recovered(map: Ends, value: number | null): number | null {
  if (value === null) return null;
  const span = (map.other_difference ?? 0) - map.difference;
  return map.other_difference === null || Math.abs(span) < 1e-6 ? null : (value - map.difference) / span;
}

/** −1 to 1 for a colour; without another difference to go to, by the largest change. */
export function strengthOf(map: Ends, value: number | null): number {
  if (value === null) return 0;
  const part = recovered(map, value);
  if (part !== null) return Math.max(-1, Math.min(1, part));
  const changes = map.cells.flat().map((cell) => Math.abs((cell ?? map.difference) - map.difference));
  return (value - map.difference) / Math.max(...changes, 1e-6);
}

export interface SenderMap {
  columns: string[];
  /** By layer: the difference with the path from that part patched; null where it does not come before the receiver. */
  rows: (number | null)[][];
}

/** Paths as a map: layers by heads, or a column of feed-forwards. */
export function senderMap(paths: readonly PathEffect[]): SenderMap {
  const placed = paths.flatMap(({ sender, difference }) => {
    const head = parseUnitName(sender);
    if (head !== null) return [{ layer: head.layer, column: head.dimension, difference }];
    const layer = /^L(\d+) ffn$/.exec(sender)?.[1];
    return layer === undefined ? [] : [{ layer: Number(layer), column: 0, difference }];
  });
  const heads = paths.some(({ sender }) => parseUnitName(sender) !== null);
  const width = Math.max(0, ...placed.map(({ column }) => column + 1));
  const height = Math.max(0, ...placed.map(({ layer }) => layer + 1));
  const rows = Array.from({ length: height }, () => Array<number | null>(width).fill(null));
  for (const { layer, column, difference } of placed) {
    const row = rows[layer];
    if (row !== undefined) row[column] = difference;
  }
  return { columns: Array.from({ length: width }, (_, column) => (heads ? `H${column}` : "feed-forward")), rows };
}
