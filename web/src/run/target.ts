// The token whose making is explained, and the one that it is set against.
import { shownSide, useTrace } from "./useTrace";
import { useView } from "./view";

export interface Target {
  id: number;
  text: string;
}

/** The chosen token, else the most probable one of the run that is shown. */
export function useTarget(): { target: Target | null; versus: Target | null } {
  const { target, versus } = useView();
  const traced = useTrace();
  const listed = [
    ...(traced.sideB?.output ?? []),
    ...(traced.sideA?.output ?? []),
    ...(traced.comparison?.tokens ?? []),
  ];
  const first = (traced.show === "base" ? shownSide(traced) : traced.sideB)?.output[0];
  const named = (id: number | null): Target | null =>
    id === null ? null : { id, text: listed.find((token) => token.id === id)?.text ?? known.get(id) ?? `#${id}` };
  return { target: target === null ? (first ?? null) : named(target), versus: named(versus) };
}

/** Texts of tokens that were chosen by their text: no list holds them. */
const known = new Map<number, string>();
export const textOfToken = (id: number): string => known.get(id) ?? `#${id}`;
export const nameToken = (id: number, text: string): void => void known.set(id, text);
