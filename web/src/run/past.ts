// Remembers the page's runs in the browser, for each model: they survive a reload and are seen by its other tabs.
import { createStore, usePart } from "../ui/store";
import { record, without, type Past, type PastRun, type Seen } from "../domain/history";

const PREFIX = "lm-debugger-runs-";
const NOTHING: Past = { runs: [], current: null };

// What is shown is each tab's own; the runs are shared.
const pasts = createStore<ReadonlyMap<string, Past>>(new Map());
const put = (model: string, past: Past): void => pasts.set(new Map(pasts.get()).set(model, past));

function stored(model: string): readonly PastRun[] | null {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PREFIX + model) ?? "[]");
    return Array.isArray(found) ? (found as PastRun[]) : [];
  } catch {
    return null; // No storage: runs last as long as the page.
  }
}

/** What is read of the storage once stays the same value: whoever shows it is not drawn again for nothing. */
const firsts = new Map<string, Past>();

function read(model: string): Past {
  const known = pasts.get().get(model) ?? firsts.get(model);
  if (known !== undefined) return known;
  const past = { runs: stored(model) ?? [], current: null };
  firsts.set(model, past);
  return past;
}

function change(model: string, step: (past: Past) => Past): void {
  const before = read(model);
  // Another tab may have written since.
  const past = { runs: stored(model) ?? before.runs, current: before.current };
  const next = step(past);
  if (next === past) return;
  put(model, next);
  try {
    localStorage.setItem(PREFIX + model, JSON.stringify(next.runs));
  } catch {
    // Full or forbidden: as above.
  }
}

addEventListener("storage", ({ key }) => {
  if (key !== null && !key.startsWith(PREFIX)) return;
  for (const model of new Set([...pasts.get().keys(), ...firsts.keys()])) {
    put(model, { runs: stored(model) ?? [], current: read(model).current });
  }
});

export function remember(model: string, seen: Seen): void {
  const key = Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
  change(model, (past) => record(past, seen, Date.now(), key));
}

/** The next run comes from none of those before. */
export const jump = (model: string): void => change(model, (past) => ({ ...past, current: null }));

export const retitle = (model: string, key: string, title: string): void =>
  change(model, (past) => ({ ...past, runs: past.runs.map((run) => (run.key === key ? { ...run, title } : run)) }));

export const forget = (model: string, key: string): void =>
  change(model, (past) => ({ ...past, runs: without(past.runs, key) }));

export const forgetAll = (model: string): void => change(model, () => NOTHING);

export const usePast = (model: string | undefined): Past =>
  usePart(pasts, () => (model === undefined ? NOTHING : read(model)));
