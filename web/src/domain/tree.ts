// The runs of this browser and those kept on the server as trees: what came from what. Pure.
import type { SavedRun } from "../api/types";
import { changesBetween, type Changes, type Content } from "./changes";
import { contentOf, type Best, type PastRun } from "./history";

/** A run in the tree: of this browser, kept on the server, or both. */
export interface RunNode extends Content {
  key: string;
  title: string;
  view: string;
  best: Best | null;
  /** Its number on the server, if it is kept there. */
  saved: number | null;
  /** Its key in this browser's history. */
  past: string | null;
  /** The kept run that it came from, directly or not. */
  savedAncestor: number | null;
  changes: Changes | null;
  children: RunNode[];
  /** When it was first run, in milliseconds since 1970. */
  time: number;
}

interface Draft extends Omit<RunNode, "children" | "changes" | "savedAncestor"> {
  parents: (string | null)[];
}

/** All runs as trees: beginnings newest first, what came from them in the order it came. */
export function treeOf(runs: readonly PastRun[], saved: readonly SavedRun[]): RunNode[] {
  const keyOfContent = new Map(saved.map((run) => [contentOf(run), `s${run.id}`]));
  const keyOfPast = new Map(runs.map((run) => [run.key, keyOfContent.get(contentOf(run)) ?? run.key]));
  const drafts = new Map<string, Draft>();
  for (const run of saved) {
    const key = `s${run.id}`;
    const { prompt, interventions, title, id } = run;
    const view = run.view !== "" || run.position < 0 ? run.view : `at=${run.position}`;
    const parents = [run.parent === null ? null : `s${run.parent}`];
    drafts.set(key, {
      ...{ key, prompt, interventions, title, view, best: null, saved: id, past: null },
      ...{ parents, time: Date.parse(run.created) },
    });
  }
  for (const run of runs) {
    const key = keyOfPast.get(run.key) ?? run.key;
    const parent = run.parent === null ? null : (keyOfPast.get(run.parent) ?? null);
    const kept = drafts.get(key);
    const { prompt, interventions, view, best } = run;
    drafts.set(key, {
      ...{ key, prompt, interventions, view, best, past: run.key },
      title: kept?.title || run.title,
      saved: kept?.saved ?? null,
      parents: [...(kept?.parents ?? []), parent],
      time: Math.min(run.time, kept?.time ?? Infinity),
    });
  }
  return grow(drafts);
}

function grow(drafts: ReadonlyMap<string, Draft>): RunNode[] {
  const parentOf = new Map<string, string | null>();
  for (const draft of drafts.values()) {
    const found = draft.parents.find((key) => key !== null && drafts.has(key) && !leadsTo(parentOf, key, draft.key));
    parentOf.set(draft.key, found ?? null);
  }
  const childrenOf = new Map<string | null, Draft[]>();
  for (const draft of [...drafts.values()].sort((a, b) => a.time - b.time)) {
    const parent = parentOf.get(draft.key) ?? null;
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), draft]);
  }
  const node = (draft: Draft, parent: Draft | null, savedAncestor: number | null): RunNode => ({
    ...draft,
    savedAncestor,
    changes: parent === null ? null : changesBetween(parent, draft),
    children: (childrenOf.get(draft.key) ?? []).map((child) => node(child, draft, draft.saved ?? savedAncestor)),
  });
  return (childrenOf.get(null) ?? []).reverse().map((draft) => node(draft, null, null));
}

/** Whether going up from a run leads to another: it cannot be that one's parent then. */
function leadsTo(parentOf: ReadonlyMap<string, string | null>, from: string, to: string): boolean {
  for (let key: string | null = from; key !== null; key = parentOf.get(key) ?? null) if (key === to) return true;
  return false;
}
