// The units before and after one in its layer. Pure.
import { parseUnitName } from "./names";

/** The name with its dimension moved by a step, or null before the first and after the last. */
export function besides(value: string, step: number, width: number | null): string | null {
  const parts = parseUnitName(value);
  if (parts === null) return null;
  const dimension = parts.dimension + step;
  if (dimension < 0 || (width !== null && dimension >= width)) return null;
  const group = parts.expert === null ? "" : `E${parts.expert}`;
  return `L${parts.layer}${group}${parts.kind === "head" ? "H" : "D"}${dimension}`;
}

/** Vectors in each layer where all have as many; null where experts share a layer or the layers differ. */
export function widthOf(vectors: number, layers: number, expert: number | null): number | null {
  return expert === null && Number.isInteger(vectors / layers) ? vectors / layers : null;
}
