// The page's view state and its tie to the address bar. Components read it with `useView` and change it with `setView`.
import { useSyncExternalStore } from "react";
import { readView, writeView, type View } from "./fields";

let current: View = readView(location.search);
const listeners = new Set<() => void>();

function announce(): void {
  for (const listener of listeners) listener();
}

/** What the address bar shows for a view. */
export function addressOf(view: View): string {
  const query = writeView(view);
  return `${location.pathname}${query === "" ? "" : `?${query}`}`;
}

/** Change some of the state. A new prompt or edit makes a step that the browser's back button undoes. */
export function setView(change: Partial<View>, merge = false): void {
  const next = { ...current, ...change };
  const address = addressOf(next);
  if (address !== addressOf(current)) {
    const step = !merge && ("prompt" in change || "edits" in change);
    history[step ? "pushState" : "replaceState"](null, "", address);
  }
  current = next;
  announce();
}

export const getView = (): View => current;

addEventListener("popstate", () => {
  current = readView(location.search);
  announce();
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useView = (): View => useSyncExternalStore(subscribe, getView);
