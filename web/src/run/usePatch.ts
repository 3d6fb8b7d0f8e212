// What is asked with another run's activations in place of this one's: the patch map, and where the two part.
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { bisectQuery, patchQuery, pathQuery } from "../api/attribution";
import { modelQuery } from "../api/queries";
import type { PatchMap, PathMap } from "../api/types";
import { bisectionAsked, sidesOf } from "../domain/bisect";
import { wasGivenUp } from "./again";
import { useTrace } from "./useTrace";
import { useView } from "./view";

/** An answer on its way. */
export interface Asked<T> {
  answer: T | undefined;
  failure: Error | null;
  waiting: boolean;
  /** What is there is the answer to another question. */
  stale: boolean;
  stopped: boolean;
  retry: () => void;
}

function askedOf<T>(query: UseQueryResult<T>, settled: boolean): Asked<T> {
  const { data, error, isFetching, isPlaceholderData, isEnabled } = query;
  return {
    answer: isEnabled ? data : undefined,
    failure: error,
    waiting: isFetching,
    stale: isPlaceholderData || !settled,
    stopped: wasGivenUp(query),
    retry: () => void query.refetch(),
  };
}

/** The runs, once they are read; and whose prediction is compared: it stays while one walks through a map of it. */
export function useCompared() {
  const { a, b, base, compared, data, settled, position, length, tokens, ids } = useTrace();
  const view = useView();
  const read = view.position === null ? position : Math.min(view.read ?? position, length - 1);
  return { a, b: data === undefined ? null : b, base, compared, settled, position, read, tokens, ids };
}

export function usePatch(part: PatchMap["part"]): Asked<PatchMap> {
  const { source, target, versus } = useView();
  const { b, read, settled } = useCompared();
  return askedOf(useQuery(patchQuery(b, { source, part, position: read, target, versus })), settled);
}

/** What reads where nobody says. */
export const OUTPUT = "output";

export function usePaths(): Asked<PathMap> {
  const { source, target, versus, receiver, sender, through } = useView();
  const { b, read, settled } = useCompared();
  const asked = { source, position: read, target, versus, receiver: receiver || OUTPUT, sender, through };
  return askedOf(useQuery(pathQuery(b, asked)), settled);
}

/** The server's other model, null if it has none; and whether it is what this one is bisected with. */
export function useOtherModel() {
  const models = useView().between === "models";
  const { data } = useQuery(modelQuery(true));
  const other = data?.other?.name ?? null;
  return { other, known: data !== undefined, chosen: models ? other : null };
}

export function useBisection() {
  const { source, most } = useView();
  const { a, b, base, read, settled, ids } = useCompared();
  const { known, chosen: other } = useOtherModel();
  const body = bisectionAsked({ a, b: known ? b : null, base, source, other, most, ids, position: read });
  const asked = askedOf(useQuery(bisectQuery(body)), settled);
  const sides = sidesOf({ source, base, other });
  return { ...asked, possible: b === null || !known || body !== null, sides, other, read, length: ids.length };
}
