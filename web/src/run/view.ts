// The page's view state and its tie to the address bar. Components read it with `useView` and change it with `setView`.
import { useSyncExternalStore } from "react";
import { onExplore, withQuery } from "../ui/address";
import { FIELDS, readView, writeView, type View } from "../domain/view";

let current: View = readView(location.search);
const listeners = new Set<() => void>();

function announce(): void {
  for (const listener of listeners) listener();
}

/** The address of a view: of the page for predictions, wherever one is. */
export const addressOf = (view: View): string => withQuery("/", writeView(view));

/** What the address bar shows for a view: the page for exploring keeps its own state beside it. */
function shownAddress(view: View): string {
  if (!onExplore()) return addressOf(view);
  const others = new URLSearchParams(location.search);
  for (const { key } of Object.values(FIELDS)) others.delete(key);
  return withQuery(location.pathname, others.toString(), writeView(view));
}

/** Change some of the state. A new prompt or edit makes a step that the browser's back button undoes. */
export function setView(change: Partial<View>, merge = false): void {
  const next = { ...current, ...change };
  const address = shownAddress(next);
  if (address !== shownAddress(current)) {
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
