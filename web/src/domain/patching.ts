// What a cell of a patch map says: how far a patch brings this run's difference to the other run's. Pure.
import type { PatchMap } from "../api/types";

/** 0: as this run; 1: as the other one; beyond, and below 0, the other way. Null where nothing is patched. */
export function recovered(map: PatchMap, value: number | null): number | null {
  if (value === null) return null;
  const span = (map.other_difference ?? 0) - map.difference;
  return map.other_difference === null || Math.abs(span) < 1e-6 ? null : (value - map.difference) / span;
}

/** −1 to 1 for a colour; without another difference to go to, by the largest change. */
export function strengthOf(map: PatchMap, value: number | null): number {
  if (value === null) return 0;
  const part = recovered(map, value);
  if (part !== null) return Math.max(-1, Math.min(1, part));
  const changes = map.cells.flat().map((cell) => Math.abs((cell ?? map.difference) - map.difference));
  return (value - map.difference) / Math.max(...changes, 1e-6);
}
