// The watches of the view as they are drawn: through the layers, or along the tokens of the continuation; of B and of A.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { continuationQuery } from "../api/generation";
import { watchPathsQuery } from "../api/queries";
import type { WatchPath, WatchSeries } from "../api/types";
import { baselineThroughLayers, throughLayers, throughSteps, type Course } from "../domain/watches";
import { useGeneration } from "./generation";
import { useSession } from "./session";
import { continuationOf } from "./useLanes";
import { useTrace } from "./useTrace";
import { useView } from "./view";

const NONE: readonly WatchPath[] = [];
const NO_SERIES: readonly WatchSeries[] = [];

export interface Courses {
  b: readonly Course[];
  /** A's, where it is compared with. */
  a: readonly Course[] | null;
  failure: Error | null;
  waiting: boolean;
  stale: boolean;
}

export function useLayerCourses(wanted: boolean): Courses {
  const { watches } = useView();
  const { a, b, base, compared, position, aPosition, settled, promptLength } = useTrace();
  const ready = wanted && promptLength > 0;
  const apart = ready && compared && !base && aPosition >= 0;
  const own = useQuery(watchPathsQuery(ready && position >= 0 ? b : null, watches, position));
  const other = useQuery(watchPathsQuery(apart ? a : null, watches, aPosition));
  const [mine, theirs] = [own.data ?? NONE, other.data ?? NONE];
  const courses = useMemo(
    () => ({
      b: mine.map(throughLayers),
      without: mine.flatMap((path) => baselineThroughLayers(path) ?? []),
      other: theirs.map(throughLayers),
    }),
    [mine, theirs],
  );
  return {
    b: courses.b,
    a: !compared ? null : base ? courses.without : apart ? courses.other : null,
    failure: own.error ?? other.error,
    waiting: own.isFetching || other.isFetching,
    stale: !settled || own.isPlaceholderData || other.isPlaceholderData,
  };
}

/** Of a session what it has followed; else the continuation once more, with its watches. */
export function useStepCourses(wanted: boolean): Courses {
  const view = useView();
  const session = useSession();
  const { interventions, base, compared, settled } = useTrace();
  const { running, tokens } = useGeneration();
  const ready = wanted && view.session === "" && view.watches.length > 0 && !running && tokens.length > 0;
  const { watches } = view;
  const of = (prompt: string, edits: readonly string[]) =>
    continuationQuery({ ...continuationOf(view, prompt, edits), watches });
  const own = useQuery({ ...of(view.prompt, interventions), enabled: ready });
  const aPrompt = base || view.aPrompt === "" ? view.prompt : view.aPrompt;
  const other = useQuery({ ...of(aPrompt, base ? [] : view.aEdits), enabled: ready && compared });
  const followed = session?.watches;
  const [mine, theirs] = [own.data?.watches ?? NO_SERIES, other.data?.watches ?? NO_SERIES];
  const courses = useMemo(
    () => ({
      session: followed?.map((watch) => throughSteps({ ...watch, values: watch.values ?? [] })),
      b: mine.map(throughSteps),
      a: theirs.map(throughSteps),
    }),
    [followed, mine, theirs],
  );
  if (courses.session !== undefined) {
    return { b: courses.session, a: null, failure: null, waiting: false, stale: false };
  }
  return {
    b: ready ? courses.b : [],
    a: ready && compared ? courses.a : null,
    failure: own.error ?? other.error,
    waiting: running || own.isFetching || other.isFetching,
    stale: !settled,
  };
}
