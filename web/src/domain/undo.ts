// A list of states with a place in it. Pure: the edits panel and the keyboard use it, it knows neither.

export interface Timeline<T> {
  past: T[];
  present: T;
  future: T[];
}

const KEPT = 200;

export const begin = <T>(present: T): Timeline<T> => ({ past: [], present, future: [] });

/** Go on to a new state; what was undone is forgotten. */
export function advance<T>(line: Timeline<T>, next: T): Timeline<T> {
  return { past: [...line.past, line.present].slice(-KEPT), present: next, future: [] };
}

export function undo<T>(line: Timeline<T>): Timeline<T> {
  const previous = line.past.at(-1);
  if (previous === undefined) return line;
  return { past: line.past.slice(0, -1), present: previous, future: [line.present, ...line.future] };
}

export function redo<T>(line: Timeline<T>): Timeline<T> {
  const [next, ...rest] = line.future;
  if (next === undefined) return line;
  return { past: [...line.past, line.present], present: next, future: rest };
}
