// What the map shows: the columns of both runs that are in sight, cell by cell, and the rows that they fold into.
import { useCallback, useMemo } from "react";
import { cellOf, differenceOf, numbersAt, type Cell, type Numbers } from "../domain/cells";
import { rowsOf, type Row } from "../domain/fold";
import { layerAt } from "../domain/layer";
import { placeIn } from "../domain/run";
import { useColumns, useSources } from "./columns";
import { useFollowed } from "./follow";
import { useTrace } from "./useTrace";
import { useView } from "./view";

/** The columns in sight. */
export interface Window {
  first: number;
  last: number;
}

/** `side`: which of the runs is shown, whatever the page shows otherwise. */
export function useMap({ first, last }: Window, opened: ReadonlySet<number>, side: "base" | "edited" | null = null) {
  const view = useView();
  const traced = useTrace();
  const { a, b, ids, aIds, compared, position, length, aLength, data } = traced;
  const show = side ?? traced.show;
  const followed = useFollowed();
  const layers = data?.model.layers ?? 0;
  const needsToken = view.colour === "rank" || show === "difference";
  // A's best token: it stays the same while B is edited, and so do the columns that the edits do not reach.
  const token = needsToken ? (view.followed[0] ?? traced.sideA?.output[0]?.id ?? null) : null;
  const answered = data !== undefined && !traced.stale;
  const wantsA = compared && show !== "edited";
  const wantsB = show !== "base";
  const aSources = useSources(a, aIds, token);
  const bSources = useSources(b, ids, token);
  const sides = useMemo(() => {
    const side = (run: typeof a, sources: typeof aSources) =>
      run === null || !answered ? [] : [{ run, sources, layers, token }];
    return [...(wantsB ? side(b, bSources) : []), ...(wantsA ? side(a, aSources) : [])];
  }, [a, b, aSources, bSources, wantsA, wantsB, answered, layers, token]);
  const known = useColumns(sides, first, last, position);
  const { columns, version, texts } = known;

  const numbers = useCallback(
    (side: "a" | "b", layer: number, at: number): Numbers | null =>
      side === "b"
        ? numbersAt(bSources[at], (key) => columns.get(key), layer)
        : numbersAt(aSources[placeIn(length, at, aLength)], (key) => columns.get(key), layer),
    [aSources, bSources, columns, length, aLength],
  );
  const followedIds = useMemo(() => new Set(followed.ids), [followed.ids]);
  const { colour } = view;
  const cell = useCallback(
    (layer: number, at: number): Cell | null => {
      const now = show === "base" ? null : numbers("b", layer, at);
      const then = show === "edited" ? null : numbers("a", layer, at);
      if (show === "difference") return then === null || now === null ? null : differenceOf(then, now, colour);
      const own = show === "base" ? then : now;
      return own === null ? null : cellOf(own, colour, followedIds);
    },
    [numbers, show, colour, followedIds],
  );
  const chosen = layerAt(view.layer, layers);
  // The columns are one map that grows: its version tells that more of them are there.
  const rows = useMemo(
    () => foldedRows(layers, { first, last }, cell, show === "difference", chosen, opened),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [layers, first, last, cell, show, chosen, opened, version],
  );
  return { ...traced, ...known, show, rows, cell, numbers, layers, layer: chosen, token, texts, followed, colour };
}

/** Layers fold where the columns in sight show nothing new; nothing folds before all of them are known. */
function foldedRows(
  layers: number,
  { first, last }: Window,
  cell: (layer: number, at: number) => Cell | null,
  difference: boolean,
  chosen: number,
  opened: ReadonlySet<number>,
): readonly Row[] {
  const quiet = (layer: number): boolean => {
    // The last layer is the output.
    if (layer === layers - 1) return false;
    for (let at = first; at <= last; at++) {
      const now = cell(layer, at);
      if (now === null) return false;
      if (difference ? now.changed || now.strength !== 0 : now.id !== cell(layer - 1, at)?.id) return false;
    }
    return last >= first;
  };
  return rowsOf(layers, quiet, new Set([chosen]), opened);
}
