// The address bar: which page is shown, and going from one to another without loading it again. Knows no state.
import { useSyncExternalStore } from "react";

/** The path of the page for exploring, with everything below it. */
export const EXPLORE = "/explore";

/** A path with queries joined to it; empty ones are left out. */
export function withQuery(path: string, ...queries: string[]): string {
  const query = queries.filter((one) => one !== "").join("&");
  return query === "" ? path : `${path}?${query}`;
}

/** Show another address of this site. Whoever keeps state in the URL reads it as after the back button. */
export function go(address: string): void {
  history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
}

export const onExplore = (): boolean => location.pathname === EXPLORE || location.pathname.startsWith(`${EXPLORE}/`);

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  return () => removeEventListener("popstate", listener);
}

export const useOnExplore = (): boolean => useSyncExternalStore(subscribe, onExplore);
