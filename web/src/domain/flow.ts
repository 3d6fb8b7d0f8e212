// The flow graph as the page shows it: which edges a threshold leaves, a threshold that leaves few, and the strongest
// route through an edge. Pure.
//
// A layer has two steps from above: the stream after it came past its feed-forward or from it; what lies between came
// past its attention, or by attention from a position. A route is the product of its edges' contributions.
import type { Flow, FlowEdge } from "../api/types";

/** Edges shown at first. */
export const FEW = 15;

const LETTERS: Record<FlowEdge["kind"], string> = {
  ...{ attention: "a", "past attention": "pa", "feed-forward": "f", "past feed-forward": "pf", mixer: "m" },
};

/** An edge's name in the address. */
export const keyOf = ({ kind, layer, source, target }: FlowEdge): string =>
  [LETTERS[kind], layer, source, target].join(".");

/** Whether something was added there; the others are the stream that went by. */
export const adds = ({ kind }: FlowEdge): boolean => !kind.startsWith("past");

/** The edges of a layer, by the position that they lead to. */
function byLayer({ edges }: Flow): Map<number, Map<number, FlowEdge[]>> {
  const layers = new Map<number, Map<number, FlowEdge[]>>();
  for (const edge of edges) {
    const layer = layers.get(edge.layer) ?? new Map<number, FlowEdge[]>();
    layers.set(edge.layer, layer);
    layer.set(edge.target, [...(layer.get(edge.target) ?? []), edge]);
  }
  return layers;
}

const of = (edges: readonly FlowEdge[], kind: FlowEdge["kind"]) => edges.find((edge) => edge.kind === kind);

/** The edges that a threshold leaves, gone through from the prediction down as the server does. */
export function reached(flow: Flow, threshold: number): FlowEdge[] {
  const kept: FlowEdge[] = [];
  const layers = byLayer(flow);
  let above = new Set([flow.position]);
  for (let layer = flow.layers - 1; layer >= 0 && above.size > 0; layer--) {
    const below = new Set<number>();
    for (const target of above) {
      const edges = layers.get(layer)?.get(target) ?? [];
      const past = of(edges, "past feed-forward");
      const through = past === undefined || past.contribution >= threshold;
      for (const edge of edges) {
        if (edge.contribution < threshold) continue;
        const upper = edge.kind === "feed-forward" || edge.kind === "past feed-forward";
        if (!upper && !through) continue;
        kept.push(edge);
        if (edge.kind === "attention" || edge.kind === "past attention") below.add(edge.source);
      }
    }
    above = below;
  }
  return kept;
}

/** The threshold that leaves at most so many edges that add something, and as many as that allows. */
export function thresholdFor(flow: Flow, most = FEW): number {
  const count = (threshold: number) => reached(flow, threshold).filter(adds).length;
  if (count(flow.threshold) <= most) return flow.threshold;
  const steps = [...new Set(flow.edges.filter(adds).map(({ contribution }) => contribution))].sort((a, b) => b - a);
  // A lower threshold leaves the same edges and more.
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (count(steps[middle] ?? 1) <= most) low = middle;
    else high = middle - 1;
  }
  return steps[low] ?? flow.threshold;
}

/** The strongest route from the prediction through an edge down to a token. */
export function routeThrough(flow: Flow, edge: FlowEdge): FlowEdge[] {
  const layers = byLayer(flow);
  return [...upFrom(flow, layers, edge), ...downFrom(layers, edge)];
}

interface Reached {
  strength: number;
  by: readonly FlowEdge[];
  from: Reached | null;
}

function upFrom(flow: Flow, layers: ReturnType<typeof byLayer>, edge: FlowEdge): FlowEdge[] {
  let above = new Map<number, Reached>([[flow.position, { strength: 1, by: [], from: null }]]);
  for (let layer = flow.layers - 1; layer > edge.layer; layer--) {
    const below = new Map<number, Reached>();
    for (const [target, way] of above) {
      const edges = layers.get(layer)?.get(target) ?? [];
      const past = of(edges, "past feed-forward");
      const middle = way.strength * (past?.contribution ?? 1);
      for (const one of edges) {
        if (one.kind !== "attention" && one.kind !== "past attention") continue;
        const strength = middle * one.contribution;
        if (strength <= (below.get(one.source)?.strength ?? 0)) continue;
        below.set(one.source, { strength, by: past === undefined ? [one] : [past, one], from: way });
      }
    }
    above = below;
  }
  const found: FlowEdge[] = [];
  for (let way = above.get(edge.target) ?? null; way !== null; way = way.from) found.unshift(...way.by);
  const upper = edge.kind === "feed-forward" || edge.kind === "past feed-forward";
  const past = of(layers.get(edge.layer)?.get(edge.target) ?? [], "past feed-forward");
  return [...found, ...(upper || past === undefined ? [] : [past]), edge];
}

/** A feed-forward reads the stream between, so a route through it goes on below. */
function downFrom(layers: ReturnType<typeof byLayer>, edge: FlowEdge): FlowEdge[] {
  const found: FlowEdge[] = [];
  let at = edge.source;
  let between = edge.kind === "feed-forward" || edge.kind === "past feed-forward";
  for (let layer = between ? edge.layer : edge.layer - 1; layer >= 0; layer--) {
    const edges = layers.get(layer)?.get(at) ?? [];
    if (!between) {
      const past = of(edges, "past feed-forward");
      if (past !== undefined) found.push(past);
    }
    between = false;
    const ways = edges.filter(({ kind }) => kind === "attention" || kind === "past attention");
    const best = ways.reduce<FlowEdge | undefined>(
      (most, one) => (most === undefined || one.contribution > most.contribution ? one : most),
      undefined,
    );
    if (best === undefined) break;
    found.push(best);
    at = best.source;
  }
  return found;
}
