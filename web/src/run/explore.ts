// The Explore page's state and its tie to the address bar. Components read it with `useExplore`, change it with
// `setExplore`, and lead to other places of the page with the links of `links.tsx`.
import { useSyncExternalStore } from "react";
import { EXPLORE, onExplore, withQuery } from "../ui/address";
import { writeView } from "../domain/view";
import { getView } from "./view";
import { INITIAL, readExplore, writeExplore, type Explore } from "../domain/explore";

interface State extends Explore {
  /** The value vector whose page is shown, as the path names it; "" for the tabs. */
  vector: string;
}

const here = (): State => ({ ...readExplore(location.search), vector: vectorOf(location.pathname) });

let current: State = onExplore() ? here() : { ...INITIAL, vector: "" };
const listeners = new Set<() => void>();

function vectorOf(path: string): string {
  const name = path.slice(EXPLORE.length + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const pathOf = (vector: string): string => (vector === "" ? EXPLORE : `${EXPLORE}/${encodeURIComponent(vector)}`);

const addressOf = ({ vector, ...state }: State): string =>
  withQuery(pathOf(vector), writeExplore(state), writeView(getView()));

/** A place of the tabs for a link: what is not said is the default. The prediction view's state goes along. */
export const exploreAddress = (state: Partial<Explore> = {}): string => addressOf({ ...INITIAL, ...state, vector: "" });

/** What is sent to somebody else: a value vector's page, without one's own prompt and search. */
export const shareAddress = (vector: string): string => new URL(pathOf(vector), location.href).href;

/** Where the page stands, to come back to; or a value vector's page with it ("" for none). For a link. */
export const lastExploreAddress = (vector = current.vector): string => addressOf({ ...current, vector });

/** These make steps that the browser's back button undoes; the others change what is on show. */
const STEPS: readonly (keyof State)[] = ["tab", "vector", "like", "residual", "cluster"];

/** Change some of the state; on the Explore page only. */
export function setExplore(change: Partial<State>): void {
  const next = { ...current, ...change };
  const step = STEPS.some((name) => name in change && JSON.stringify(change[name]) !== JSON.stringify(current[name]));
  const address = addressOf(next);
  if (address !== addressOf(current)) history[step ? "pushState" : "replaceState"](null, "", address);
  current = next;
  for (const listener of listeners) listener();
}

export const getExplore = (): State => current;

// The prediction view's address holds nothing of this page: what it showed last is kept to come back to.
addEventListener("popstate", () => {
  if (!onExplore()) return;
  current = here();
  for (const listener of listeners) listener();
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useExplore = (): State => useSyncExternalStore(subscribe, getExplore);
