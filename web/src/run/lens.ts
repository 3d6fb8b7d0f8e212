// The lens that layers are read through: the one that was chosen, else the most readable that is kept.
import { useQuery } from "@tanstack/react-query";
import { lensesQuery } from "../api/lenses";
import { LOGIT, readable } from "../domain/lens";
import { useViewPart } from "./view";

export interface Lenses {
  /** Those that can be chosen. */
  names: readonly string[];
  /** Whether it is known which are kept. */
  known: boolean;
}

export function useLenses(): Lenses & { best: string } {
  const { data, isPending } = useQuery(lensesQuery());
  const kept = data?.lenses ?? [];
  return { names: [LOGIT, ...new Set(kept.map(({ name }) => name))], known: !isPending, best: readable(kept) };
}

/** B's lens, and A's where that is another one. */
export function useLens(): { lens: string; aLens: string; known: boolean } {
  const chosen = useViewPart("lens");
  const other = useViewPart("aLens");
  const { best, known } = useLenses();
  const lens = chosen === "" ? best : chosen;
  return { lens, aLens: other === "" ? lens : other, known: known || chosen !== "" };
}
