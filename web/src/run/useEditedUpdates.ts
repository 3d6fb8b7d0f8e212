// The edited vectors as sub-updates at the chosen position, in A and in B, also where they are not dominant.
import { useQueries } from "@tanstack/react-query";
import { coefficientsQuery, valueQuery } from "../api/queries";
import type { NamedValue, SubUpdate } from "../api/types";
import { isInForce } from "../domain/concept";
import { isDirection } from "../domain/direction";
import { isHead } from "../domain/names";
import { useTrace } from "./useTrace";
import { useViewPart } from "./view";

export interface EditedUpdate {
  layer: number;
  base: SubUpdate;
  edited: SubUpdate;
}

/** More edits than this are still in force, but their vectors are only shown where they are dominant. */
const MOST = 24;
const TOKENS = 10;

export function useEditedUpdates(): readonly EditedUpdate[] {
  const edits = useViewPart("edits");
  const { a, b, base, compared, position, aPosition, lens } = useTrace();
  const enabled = edits
    .filter((edit) => isInForce(edit) && !isHead(edit.value) && !isDirection(edit.value))
    .map(({ value }) => value);
  const values = [...new Set(enabled)].slice(0, MOST);
  const vectors = useQueries({ queries: values.map((value) => valueQuery(value, lens)) });
  const own = useQueries({ queries: values.map((value) => coefficientsQuery(value, b)) });
  const others = useQueries({ queries: values.map((value) => coefficientsQuery(value, compared && !base ? a : null)) });
  return values.flatMap((_, index): EditedUpdate[] => {
    const vector = vectors[index]?.data;
    const path = own[index]?.data;
    const now = path?.coefficients[position];
    if (vector === undefined || now === undefined) return [];
    const before = base ? path?.baseline?.[position] : others[index]?.data?.coefficients[aPosition];
    return [{ layer: vector.layer, base: updateOf(vector, before ?? now), edited: updateOf(vector, now) }];
  });
}

function updateOf(vector: NamedValue, coefficient: number): SubUpdate {
  const side = coefficient < 0 ? vector.suppresses : vector.promotes;
  const { value, norm } = vector;
  const promotes = side.slice(0, TOKENS).map(({ text }) => text);
  return { value, coefficient, norm, score: Math.abs(coefficient) * norm, share: 0, name: null, promotes };
}
