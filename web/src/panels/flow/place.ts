// Where the parts of the flow graph lie. Pure geometry: layers from the last down, tokens across.
import type { FlowEdge } from "../../api/types";

export const HEAD = 22;
/** Room for what leads to the embeddings, and for the tokens, which stay in sight. */
export const BELOW = 8;
export const FOOT = 20;
export const LABELS = 48;
/** Beside a token's line, where a feed-forward writes. */
export const ASIDE = 11;

export interface Plan {
  layers: number;
  cell: number;
  row: number;
}

/** The middle of a token's column. */
export const x = ({ cell }: Plan, position: number): number => LABELS + (position + 0.35) * cell;

/** The stream after a layer; −1: the embeddings. */
export const y = ({ layers, row }: Plan, layer: number): number => HEAD + (layers - 1 - layer) * row + 6;

/** The stream between the attention and the feed-forward of a layer. */
export const between = (plan: Plan, layer: number): number => y(plan, layer) + plan.row * 0.5;

/** The line of an edge. */
export function lineOf(plan: Plan, { kind, layer, source, target }: FlowEdge): string {
  const [from, to] = [x(plan, source), x(plan, target)];
  const [top, middle, bottom] = [y(plan, layer), between(plan, layer), y(plan, layer - 1)];
  if (kind === "past feed-forward") return `M${to} ${middle}V${top}`;
  if (kind === "past attention" || kind === "mixer") return `M${to} ${bottom}V${middle}`;
  if (kind === "feed-forward") return `M${to} ${middle}Q${to - ASIDE * 1.6} ${(top + middle) / 2} ${to} ${top}`;
  // What a head brings from its own position bows to the other side.
  if (source === target) return `M${from} ${bottom}Q${from + ASIDE * 1.6} ${(middle + bottom) / 2} ${to} ${middle}`;
  return `M${from} ${bottom}C${from} ${bottom - plan.row * 0.45} ${to - 14} ${middle + 2} ${to} ${middle}`;
}
