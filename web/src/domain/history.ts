// The history of runs as data: what was run, and which came from which. Pure: no storage, no server.
import { isMove, withPlainNumbers, type Content } from "./changes";

/** A run of the page: what was run, how it was shown, what it gave. */
export interface PastRun extends Content {
  key: string;
  /** The address's query that showed it, without the prompt. */
  view: string;
  /** The key of the run that it came from by another prompt or other edits. */
  parent: string | null;
  title: string;
  /** Milliseconds since 1970. */
  time: number;
  best: Best | null;
}

/** The most probable next token. */
export interface Best {
  text: string;
  probability: number;
}

/** What the page shows of a run; `best` is null while its answer has not come. */
export type Seen = Pick<PastRun, "prompt" | "interventions" | "view" | "best">;

export interface Past {
  runs: readonly PastRun[];
  /** The key of the run that is shown. */
  current: string | null;
}

/** How many runs are remembered, and how many characters of them: a browser keeps some millions for a site. */
const KEPT = 200;
const CHARACTERS = 1_000_000;
/** Within this time a moved slider makes one run, not one for each place it passes. */
const MOVE = 5000;

export const contentOf = (run: Content): string =>
  JSON.stringify([run.prompt, run.interventions.map(withPlainNumbers)]);

/** Take note of the run that is shown. One that was there before is found again; others come from the current one. */
export function record(past: Past, seen: Seen, now: number, newKey: string): Past {
  const content = contentOf(seen);
  const known = past.runs.find((run) => contentOf(run) === content);
  if (known !== undefined) {
    const best = seen.best ?? known.best;
    if (past.current === known.key && known.view === seen.view && sameBest(known.best, best)) return past;
    return { runs: replaced(past.runs, { ...known, ...seen, best }), current: known.key };
  }
  const before = past.runs.find(({ key }) => key === past.current);
  const leaf = before !== undefined && !past.runs.some(({ parent }) => parent === before.key);
  if (leaf && before.title === "" && now - before.time < MOVE && isMove(before, seen)) {
    return { runs: replaced(past.runs, { ...before, ...seen, time: now }), current: before.key };
  }
  const parent = before !== undefined && cameFrom(before, seen) ? before.key : null;
  const run: PastRun = { ...seen, key: newKey, parent, title: "", time: now };
  return { runs: fitting([...past.runs, run]), current: newKey };
}

/** Forget a run; what came from it then came from its parent. */
export function without(runs: readonly PastRun[], key: string): readonly PastRun[] {
  const gone = runs.find((run) => run.key === key);
  return runs
    .filter((run) => run.key !== key)
    .map((run) => (run.parent === key ? { ...run, parent: gone?.parent ?? null } : run));
}

const replaced = (runs: readonly PastRun[], next: PastRun): PastRun[] =>
  runs.map((run) => (run.key === next.key ? next : run));

const sameBest = (a: Best | null, b: Best | null): boolean => a?.text === b?.text && a?.probability === b?.probability;

function fitting(runs: readonly PastRun[]): readonly PastRun[] {
  let left = runs;
  const characters = () => left.reduce((sum, { prompt, view }) => sum + prompt.length + view.length, 0);
  while (left.length > 1 && (left.length > KEPT || characters() > CHARACTERS)) left = without(left, left[0]?.key ?? "");
  return left;
}

/** Another prompt without edits is a beginning of its own, unless half of it is the same. */
function cameFrom(from: Content, to: Content): boolean {
  if (from.prompt === to.prompt || to.interventions.length > 0) return true;
  const [a, b] = [from.prompt, to.prompt];
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return 2 * (start + end) >= Math.max(a.length, b.length);
}
