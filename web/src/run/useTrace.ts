// The read-outs of both runs at the chosen position, and whether what is there is still what was asked for.
import { useQuery } from "@tanstack/react-query";
import { compareQuery, traceQuery } from "../api/queries";
import type { Comparison, LayerView, TokenScore, TraceView } from "../api/types";
import { wasGivenUp } from "./again";
import { useRun, type Runs } from "./useRun";
import { useViewPart } from "./view";

/** Tokens and sub-updates of each layer; a difference is only known of what both runs list. */
const LISTED = 10;
const LISTED_FOR_DIFFERENCE = 30;

export interface Side {
  layers: readonly LayerView[];
  output: readonly TokenScore[];
}

export interface Traced extends Runs {
  /** B's read-out; that of the run before while another is computed. */
  data: TraceView | undefined;
  b: Runs["b"];
  sideA: Side | null;
  sideB: Side | null;
  comparison: Comparison | null;
  /** What is on show: one of the runs, or their difference. */
  show: "base" | "edited" | "difference";
  /** What is shown is of another run or place than was asked for. */
  stale: boolean;
  /** Something is being computed. */
  busy: boolean;
  /** It was cancelled, and nothing is being computed. */
  stopped: boolean;
  failure: Error | null;
  retry: () => void;
}

export function useTrace(): Traced {
  const runs = useRun();
  const compare = useViewPart("compare");
  const { a, b, base, compared, settled, position, aPosition, promptLength } = runs;
  const show = compared ? compare : ("edited" as const);
  const listed = show === "difference" ? LISTED_FOR_DIFFERENCE : LISTED;
  const own = useQuery(traceQuery(promptLength > 0 ? b : null, position, listed));
  const other = useQuery(traceQuery(!base && compared && aPosition >= 0 ? a : null, aPosition, listed));
  const between = useQuery(compareQuery(!base && compared && aPosition >= 0 ? a : null, aPosition, b, position));
  const data = own.data;
  const apart = base ? (data?.baseline ?? null) : (other.data ?? null);
  const failure = own.error ?? (base ? null : (other.error ?? between.error));
  const stale =
    data !== undefined &&
    (!settled ||
      own.isPlaceholderData ||
      (!base && compared && (other.isPlaceholderData || between.isPlaceholderData)));
  const stopped = wasGivenUp(own);
  const comparison = compared ? ((base ? data?.comparison : between.data) ?? null) : null;
  return {
    ...runs,
    data,
    sideA: compared ? apart : (data ?? null),
    sideB: data ?? null,
    comparison,
    show,
    stale,
    busy: own.isFetching || other.isFetching,
    stopped,
    failure,
    retry: () => void Promise.all([own.refetch(), ...(base ? [] : [other.refetch()])]),
  };
}

/** The layers of the run that is on show; of B where the difference is. */
export const shownSide = ({ show, sideA, sideB }: Traced): Side | null => (show === "base" ? sideA : sideB);

/** The layers with each sub-update's direct effect on a token's logit, where they are asked for and there. */
export function useEffects(traced: Traced, token: number | null): readonly LayerView[] | null {
  const { a, b, base, show, position, aPosition } = traced;
  const ofA = show === "base" && !base;
  const asked = traced.data !== undefined && !traced.stale && token !== null;
  const listed = show === "difference" ? LISTED_FOR_DIFFERENCE : LISTED;
  const found = useQuery(traceQuery(asked ? (ofA ? a : b) : null, ofA ? aPosition : position, listed, token));
  if (found.data === undefined || found.isPlaceholderData || !asked) return null;
  return (show === "base" && base ? found.data.baseline?.layers : found.data.layers) ?? null;
}
