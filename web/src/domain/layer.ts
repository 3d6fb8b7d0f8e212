// Which layer is looked at: an address may name one that this model does not have. Pure.

/** The chosen layer, or the last; of a model whose layers are not known yet, as it was chosen. */
export function layerAt(chosen: number | null, layers: number): number {
  if (layers === 0) return chosen ?? -1;
  return Math.min(chosen ?? layers - 1, layers - 1);
}
