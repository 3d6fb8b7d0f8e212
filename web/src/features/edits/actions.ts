// What can be done with the list of edits, each with undo. The list itself is view state.
import { useSyncExternalStore } from "react";
import { getView, setView } from "../view/store";
import { formatEdit, type Edit, type ListedEdit } from "./edit";
import { advance, begin, redo, undo, type Timeline } from "./undo";

type List = readonly ListedEdit[];

let line: Timeline<List> = begin<List>(getView().edits);
let lastMerge = "";
const listeners = new Set<() => void>();

function show(next: Timeline<List>, merged = false): void {
  line = next;
  setView({ edits: [...next.present] }, merged);
  for (const listener of listeners) listener();
}

/** Steps with the same `merge` text, one after the other, count as one (a slider that is dragged). */
function change(next: List, merge = ""): void {
  const now = getView().edits;
  const current = now === line.present ? line : { ...line, present: now };
  const merged = merge !== "" && merge === lastMerge;
  lastMerge = merge;
  show(merged ? { ...current, present: next, future: [] } : advance(current, next), merged);
}

/** Add an edit, enabled; one with the same value and scope is replaced. */
export function addEdit(edit: Edit): void {
  const others = getView().edits.filter(({ value, scope }) => value !== edit.value || scope !== edit.scope);
  change([...others, { ...edit, enabled: true }]);
}

export function changeEdit(index: number, part: Partial<ListedEdit>, merge = ""): void {
  change(
    getView().edits.map((edit, place) => (place === index ? { ...edit, ...part } : edit)),
    merge,
  );
}

export function removeEdit(index: number): void {
  change(getView().edits.filter((_, place) => place !== index));
}

export const clearEdits = (): void => change([]);

export function undoEdit(): void {
  lastMerge = "";
  show(undo(line));
}

export function redoEdit(): void {
  lastMerge = "";
  show(redo(line));
}

/** Another run's edits: its own beginning, nothing to undo into the run before. */
export function restartEdits(edits: List): void {
  lastMerge = "";
  line = begin(edits);
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function useUndo(): { canUndo: boolean; canRedo: boolean } {
  const past = useSyncExternalStore(subscribe, () => line.past.length);
  const future = useSyncExternalStore(subscribe, () => line.future.length);
  return { canUndo: past > 0, canRedo: future > 0 };
}

/** The listed edits of a value vector, as text. */
export function editsOf(edits: List, value: string): string {
  return edits
    .filter((edit) => edit.value === value)
    .map(formatEdit)
    .join(", ");
}
