// The tokens that are followed through the layers, and their colours. A colour belongs to a token: it stays with it
// whatever its rank becomes.
import { useMemo } from "react";
import { coloursOf } from "../domain/colours";
import { setView, useViewPart } from "./view";
import { useTrace } from "./useTrace";

const MOST = 8;
const NO_ONE: readonly number[] = [];

const known = new Map<number, number>();

/** Follow a token, or stop: `shown` are those that are followed now, chosen or by default. */
export function toggleFollowed(id: number, shown: readonly number[]): void {
  setView({ followed: shown.includes(id) ? shown.filter((other) => other !== id) : [...shown, id].slice(-MOST) });
}

export interface Followed {
  ids: readonly number[];
  colours: ReadonlyMap<number, number>;
  toggle: (id: number) => void;
}

/** The tokens chosen, else the most probable ones of what is shown. */
export function useFollowed(): Followed {
  const chosen = useViewPart("followed");
  const { sideA, sideB, compared } = useTrace();
  const [a, b] = [sideA?.output, sideB?.output];
  return useMemo(() => {
    const best = (b ?? []).slice(0, compared ? 2 : 3).map(({ id }) => id);
    const other = compared ? (a ?? []).slice(0, 2).map(({ id }) => id) : NO_ONE;
    const ids = chosen.length > 0 ? chosen : [...new Set([...best, ...other])];
    return { ids, colours: coloursOf(ids, known), toggle: (id: number) => toggleFollowed(id, ids) };
  }, [chosen, a, b, compared]);
}

/** The style that gives a followed token's colour to what is drawn of it. */
export const followStyle = (colour: number | undefined): { [name: string]: string } | undefined =>
  colour === undefined ? undefined : { "--follow": `var(--follow-${colour})` };
