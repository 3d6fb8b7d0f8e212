import { describe, expect, it } from "vitest";
import type { Flow, FlowEdge } from "../api/types";
import { adds, keyOf, reached, routeThrough, thresholdFor } from "./flow";

const edge = (
  kind: FlowEdge["kind"],
  layer: number,
  source: number,
  target: number,
  contribution: number,
): FlowEdge => ({
  ...{ kind, layer, source, target, contribution, heads: [] },
});

// Two layers, two tokens. The prediction at 1: half of it came past the last feed-forward, from 0 by attention.
const FLOW: Flow = {
  ...{ tokens: [], position: 1, threshold: 0.01, layers: 2, interventions: [], warnings: [] },
  edges: [
    edge("feed-forward", 1, 1, 1, 0.5),
    edge("past feed-forward", 1, 1, 1, 0.5),
    edge("past attention", 1, 1, 1, 0.6),
    edge("attention", 1, 0, 1, 0.4),
    edge("feed-forward", 0, 0, 0, 0.9),
    edge("past feed-forward", 0, 0, 0, 0.1),
    edge("past attention", 0, 0, 0, 1),
    edge("feed-forward", 0, 1, 1, 0.2),
    edge("past feed-forward", 0, 1, 1, 0.8),
    edge("past attention", 0, 1, 1, 1),
  ],
};
const keys = (edges: readonly FlowEdge[]) => edges.map(keyOf);

describe("a threshold", () => {
  it("leaves what contributes as much, and what is reached through that", () => {
    expect(reached(FLOW, 0.01)).toHaveLength(FLOW.edges.length);
    // Without the edge from 0 nothing at 0 is reached.
    expect(keys(reached(FLOW, 0.45))).toEqual(["f.1.1.1", "pf.1.1.1", "pa.1.1.1", "pf.0.1.1", "pa.0.1.1"]);
    // What came past the feed-forward is too little: nothing below it is reached.
    expect(keys(reached(FLOW, 0.51))).toEqual([]);
  });

  it("is found that leaves few edges", () => {
    expect(reached(FLOW, thresholdFor(FLOW, 2)).filter(adds)).toHaveLength(1);
    expect(thresholdFor(FLOW, 3)).toBe(0.4);
    expect(reached(FLOW, 0.4).filter(adds)).toHaveLength(3);
    expect(thresholdFor(FLOW, 4)).toBe(0.01);
  });
});

it("the strongest route goes through an edge, up to the prediction and down to a token", () => {
  const [attention, early] = [FLOW.edges[3], FLOW.edges[7]] as [FlowEdge, FlowEdge];
  expect(keys(routeThrough(FLOW, attention))).toEqual(["pf.1.1.1", "a.1.0.1", "pf.0.0.0", "pa.0.0.0"]);
  expect(keys(routeThrough(FLOW, early))).toEqual(["pf.1.1.1", "pa.1.1.1", "f.0.1.1", "pa.0.1.1"]);
});
