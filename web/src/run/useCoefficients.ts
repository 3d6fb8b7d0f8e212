// A value vector's coefficient at each token of B, and at the same places of A.
import { useQuery } from "@tanstack/react-query";
import { coefficientsQuery } from "../api/queries";
import type { Token } from "../api/types";
import { placeIn } from "../domain/run";
import { useTrace } from "./useTrace";

export interface Coefficients {
  tokens: readonly Token[];
  b: readonly number[];
  /** Null where there is nothing to compare. */
  a: readonly number[] | null;
  /** At the chosen position, of the run that is shown. */
  here: number | undefined;
}

export function useCoefficients(value: string): { data: Coefficients | undefined; error: Error | null } {
  const { a, b, base, compared, position, show } = useTrace();
  const own = useQuery(coefficientsQuery(value, b));
  const other = useQuery(coefficientsQuery(value, compared && !base ? a : null));
  const { data } = own;
  if (data === undefined) return { data: undefined, error: own.error };
  const now = data.coefficients;
  const there = other.data?.coefficients;
  const apart = base
    ? (data.baseline ?? null)
    : there === undefined
      ? null
      : now.map((_, index) => there[placeIn(now.length, index, there.length)] ?? 0);
  const before = compared ? apart : null;
  const here = (show === "base" ? (before ?? now) : now)[position];
  return { data: { tokens: data.tokens, b: now, a: before, here }, error: own.error ?? other.error };
}
