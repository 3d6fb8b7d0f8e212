// The columns of the map that are known, and the one request that fetches more: what is in sight, nearest to the
// selection first. Columns outlive runs: an edit makes only those unknown that it can reach.
import { useEffect, useMemo, useState } from "react";
import { readGrid } from "../api/grid";
import { wasStopped } from "../api/longwork";
import type { LensGrid } from "../api/types";
import { nearestFirst, nextBatch, sourcesOf, type Batch, type Column, type Source } from "../domain/columns";
import { asApiError, type ApiError } from "../domain/failure";
import type { Run } from "../domain/run";
import { createStore, useStore } from "../ui/store";

/** The first request is small, so that something shows at once; the others fill one product of the read-out. */
const FIRST = 2;
const MOST = 10;
/** Columns kept; of 80 layers some 100 MB. */
const KEPT = 20_000;

/** A run, its columns' places, and those that are wanted. */
export interface Wanted {
  run: Run;
  sources: readonly Source[];
  positions: readonly number[];
  layers: number;
  token: number | null;
}

interface Known {
  /** Grows with every column that arrives. */
  version: number;
  columns: ReadonlyMap<string, Column>;
  texts: ReadonlyMap<number, string>;
  failure: ApiError | null;
}

const columns = new Map<string, Column>();
const texts = new Map<number, string>();
const store = createStore<Known>({ version: 0, columns, texts, failure: null });

/** What each map that is shown wants. */
const wants = new Map<symbol, readonly Wanted[]>();
let underWay: { of: string; stop: AbortController } | null = null;
let asked = 0;

const has = (key: string): boolean => columns.has(key);
const nameOf = ({ run, token }: Wanted): string => JSON.stringify([run, token]);

function tell(failure: ApiError | null): void {
  store.set({ ...store.get(), version: store.get().version + 1, failure });
}

/** Fetch what a map wants; what is under way for a run that none wants any more is given up. */
function want(owner: symbol, next: readonly Wanted[]): void {
  wants.set(owner, next);
  if (next.length === 0) wants.delete(owner);
  const all = [...wants.values()].flat();
  if (underWay !== null && !all.some((one) => nameOf(one) === underWay?.of)) underWay.stop.abort();
  if (store.get().failure !== null) tell(null);
  void pump();
}

async function pump(): Promise<void> {
  if (underWay !== null) return;
  for (const one of [...wants.values()].flat()) {
    const batch = nextBatch(one.sources, one.positions, has, asked === 0 ? FIRST : MOST);
    if (batch === null) continue;
    const own = (underWay = { of: nameOf(one), stop: new AbortController() });
    try {
      await fetchBatch(one, batch, own.stop.signal);
      asked++;
      tell(null);
    } catch (failure) {
      if (!wasStopped(failure)) {
        wants.clear();
        tell(asApiError(failure));
      }
    }
    underWay = null;
    return pump();
  }
  asked = 0;
}

async function fetchBatch({ run, sources, layers, token }: Wanted, batch: Batch, signal: AbortSignal): Promise<void> {
  const { edited, from, positions } = batch;
  const which = Array.from({ length: layers - from }, (_, index) => from + index);
  const grid = await readGrid(edited ? run : { ...run, interventions: [] }, which, positions, token, signal);
  for (const [id, text] of Object.entries(grid.texts)) texts.set(Number(id), text);
  for (const [place, position] of positions.entries()) {
    const source = sources[position];
    if (source !== undefined) keep(edited ? source.edited : source.plain, columnOf(grid, place, from));
  }
}

function columnOf(grid: LensGrid, place: number, from: number): Column {
  const pick = (rows: readonly (readonly number[])[]) => rows.map((row) => row[place] ?? 0);
  return {
    from,
    id: pick(grid.id),
    probability: pick(grid.probability),
    entropy: pick(grid.entropy),
    rank: grid.token ? pick(grid.token.rank) : null,
    followed: grid.token ? pick(grid.token.probability) : null,
  };
}

function keep(key: string, column: Column): void {
  columns.set(key, column);
  for (const old of columns.keys()) {
    if (columns.size <= KEPT) break;
    columns.delete(old);
  }
}

/** Forget everything: another model is served. */
export function forgetColumns(): void {
  columns.clear();
  texts.clear();
}

/** Where the columns of a run are, as far as they are known. */
export function useSources(run: Run | null, ids: readonly number[], token: number | null): readonly Source[] {
  return useMemo(() => (run === null ? [] : sourcesOf(run, ids, token)), [run, ids, token]);
}

/** The columns known so far; those of the runs that are in sight are fetched. */
export function useColumns(
  sides: readonly Omit<Wanted, "positions">[],
  first: number,
  last: number,
  selected: number,
): Known & { missing: number; total: number } {
  const known = useStore(store);
  const list = useMemo(
    () => sides.map((side) => ({ ...side, positions: nearestFirst(first, last, selected) })),
    [sides, first, last, selected],
  );
  const [owner] = useState(() => Symbol("map"));
  useEffect(() => want(owner, list), [owner, list]);
  useEffect(() => () => want(owner, []), [owner]);
  let [missing, total] = [0, 0];
  for (const { sources, positions } of list) {
    for (const position of positions) {
      const source = sources[position];
      if (source === undefined) continue;
      total++;
      if (!has(source.edited) || (source.from > 0 && !has(source.plain))) missing++;
    }
  }
  return { ...known, missing, total };
}
