// The flow to the prediction that is shown: the graph as the server told it, and what of it is in sight.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { flowQuery } from "../api/attribution";
import type { FlowEdge } from "../api/types";
import { keyOf, reached, routeThrough, thresholdFor } from "../domain/flow";
import { wasGivenUp } from "./again";
import { useTrace } from "./useTrace";
import { setView, useView } from "./view";

/** What is asked for: the threshold is moved on the page from here up, without another request. */
export const LEAST = 0.02;

const NONE: readonly FlowEdge[] = [];

export function useFlow() {
  const { a, b, aPosition, position, show, data, stale, tokens, aTokens } = useTrace();
  const { threshold: chosen, edge: looked, pins } = useView();
  const ofA = show === "base";
  const ready = data !== undefined && !stale;
  const run = ready ? (ofA ? a : b) : null;
  const query = useQuery(flowQuery(run, ofA ? aPosition : position, LEAST));
  const flow = query.data;
  const first = useMemo(() => (flow === undefined ? LEAST : thresholdFor(flow)), [flow]);
  const threshold = chosen > 0 ? Math.max(chosen, LEAST) : first;
  const shown = useMemo(() => (flow === undefined ? NONE : reached(flow, threshold)), [flow, threshold]);
  const byKey = useMemo(() => new Map((flow?.edges ?? NONE).map((edge) => [keyOf(edge), edge])), [flow]);
  const pinned = useMemo(() => {
    const found = new Map<string, FlowEdge>();
    for (const key of pins) {
      const edge = byKey.get(key);
      if (flow === undefined || edge === undefined) continue;
      for (const one of routeThrough(flow, edge)) found.set(keyOf(one), one);
    }
    return found;
  }, [flow, byKey, pins]);
  const edges = useMemo(() => {
    const known = new Set(shown.map(keyOf));
    return [...shown, ...[...pinned.values()].filter((edge) => !known.has(keyOf(edge)))];
  }, [shown, pinned]);
  return {
    flow,
    /** In sight: what the threshold leaves, and the pinned routes. */
    edges,
    threshold,
    automatic: chosen === 0,
    pinned,
    looked: byKey.get(looked) ?? null,
    tokens: ofA ? aTokens : tokens,
    failure: query.error,
    waiting: query.isFetching || !ready,
    stopped: wasGivenUp(query),
    retry: () => void query.refetch(),
  };
}

export type ShownFlow = ReturnType<typeof useFlow>;

export const lookAt = (edge: FlowEdge | null): void => setView({ edge: edge === null ? "" : keyOf(edge) });

/** Keep an edge's route in sight whatever the threshold is, or no longer. */
export function togglePin(edge: FlowEdge, pins: readonly string[]): void {
  const key = keyOf(edge);
  setView({ pins: pins.includes(key) ? pins.filter((one) => one !== key) : [...pins, key] });
}
