// How surprising each token of B was, in nats, by position: stretch by stretch, that of the selection first.
import { useQueries, useQuery } from "@tanstack/react-query";
import { surpriseQuery } from "../api/grid";
import { useProgress } from "./progress";
import { useTrace } from "./useTrace";
import { useViewPart } from "./view";

/** Positions asked for at once: about one product of the read-out. */
const STRETCH = 256;

export function useSurprise(): ReadonlyMap<number, number> {
  const { b, data, stale, length, position } = useTrace();
  const panel = useViewPart("panel");
  const last = (data?.model.layers ?? 1) - 1;
  const run = data !== undefined && !stale ? b : null;
  // The map comes first: its columns in sight are what is looked at.
  const { done, total } = useProgress();
  const free = (total > 0 && done === total) || panel !== "grid";
  const count = Math.ceil(length / STRETCH);
  const here = Math.min(Math.floor(Math.max(0, position) / STRETCH), Math.max(0, count - 1));
  const stretches = Array.from({ length: count }, (_, index) => index);
  const query = (index: number) =>
    surpriseQuery(run, last, index * STRETCH, Math.min(STRETCH, length - index * STRETCH));
  const first = useQuery({ ...query(here), enabled: free && run !== null && count > 0 });
  const queries = useQueries({
    queries: stretches.map((index) => ({ ...query(index), enabled: free && run !== null && first.isSuccess })),
  });
  const surprise = new Map<number, number>();
  for (const index of stretches) {
    for (const [offset, nats] of (queries[index]?.data ?? []).entries()) {
      if (nats !== null) surprise.set(index * STRETCH + offset, nats);
    }
  }
  return surprise;
}
