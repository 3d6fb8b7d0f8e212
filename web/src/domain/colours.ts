// Which colour each followed token has: it belongs to the token, whatever its rank becomes. Pure.

const COLOURS = 8;

/** The colour of each of some tokens, from 0: the one it had, else one that none of the others has. */
export function coloursOf(ids: readonly number[], known: Map<number, number>): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  const taken = new Set<number>();
  // Those that have a colour keep it; of two with the same the first does.
  for (const id of ids) {
    const colour = known.get(id);
    if (colour === undefined || taken.has(colour)) continue;
    taken.add(colour);
    found.set(id, colour);
  }
  for (const id of ids) {
    if (found.has(id)) continue;
    let colour = id % COLOURS;
    while (taken.has(colour) && taken.size < COLOURS) colour = (colour + 1) % COLOURS;
    taken.add(colour);
    found.set(id, colour);
    known.set(id, colour);
  }
  return found;
}
