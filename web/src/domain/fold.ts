// The rows of the map: layers from the last down, those where nothing changes folded into one. Pure.

export interface Row {
  /** Last and first layer of the row: the same, unless it is folded. */
  last: number;
  first: number;
}

/** Fewer quiet layers than this are not worth a fold. */
const WORTH = 2;

/**
 * @param quiet whether nothing changes in a layer
 * @param keep layers that are never folded: the selected one
 * @param open folded rows, by their first layer, that the user opened
 */
export function rowsOf(
  layers: number,
  quiet: (layer: number) => boolean,
  keep: ReadonlySet<number>,
  open: ReadonlySet<number>,
): Row[] {
  const rows: Row[] = [];
  let layer = layers - 1;
  while (layer >= 0) {
    let first = layer;
    while (first >= 0 && quiet(first) && !keep.has(first)) first--;
    const folded = layer - first;
    if (folded >= WORTH && !open.has(first + 1)) {
      rows.push({ last: layer, first: first + 1 });
      layer = first;
    } else {
      // Each by itself, the whole stretch.
      for (const end = Math.min(first, layer - 1); layer > end; layer--) rows.push({ last: layer, first: layer });
    }
  }
  return rows;
}

/** The place of a layer's row, −1 where there is none. */
export const rowOf = (rows: readonly Row[], layer: number): number =>
  rows.findIndex(({ last, first }) => layer <= last && layer >= first);
