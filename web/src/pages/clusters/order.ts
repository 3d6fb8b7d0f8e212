// Which clusters are listed, and in which order. Pure.
import type { ClusterBrief } from "../../api/types";

export type Order = "size" | "cohesion" | "layer";

export const ORDERS: readonly { value: Order; label: string; title: string }[] = [
  { value: "size", label: "Size", title: "Largest first" },
  { value: "cohesion", label: "Cohesion", title: "Tightest first: mean cosine of the members with their centre" },
  { value: "layer", label: "Layer", title: "Lowest mean layer first" },
];

export const readOrder = (text: string): Order => ORDERS.find(({ value }) => value === text)?.value ?? "size";

const COMPARE: Record<Order, (a: ClusterBrief, b: ClusterBrief) => number> = {
  size: (a, b) => a.id - b.id,
  // A vector alone is its own centre: that says nothing.
  cohesion: (a, b) => Number(a.size === 1) - Number(b.size === 1) || b.cohesion - a.cohesion,
  layer: (a, b) => a.layer - b.layer,
};

/** Whether a cluster's name or tokens contain the text; any does where there is none. */
export function matcher(text: string): (cluster: ClusterBrief) => boolean {
  const wanted = text.trim().toLocaleLowerCase();
  if (wanted === "") return () => true;
  const has = (part: string) => part.toLocaleLowerCase().includes(wanted);
  return ({ name, promotes }) => has(name) || promotes.some(has);
}

export const ordered = (clusters: readonly ClusterBrief[], order: Order): ClusterBrief[] =>
  [...clusters].sort(COMPARE[order]);
