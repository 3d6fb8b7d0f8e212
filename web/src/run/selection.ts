// Moving the selection: through layers and positions, within what there is.
import { layerAt } from "../domain/layer";
import { getView, setView } from "./view";

/** To the next layer, or with −1 the previous one. */
export function moveLayer(step: number, layers: number): void {
  if (layers < 1) return;
  const from = layerAt(getView().layer, layers);
  setView({ layer: Math.max(0, Math.min(layers - 1, from + step)) });
}

export function movePosition(step: number, position: number, length: number): void {
  if (length < 1) return;
  setView({ position: Math.max(0, Math.min(length - 1, position + step)) });
}
