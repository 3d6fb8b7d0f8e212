// Where the user is: which page, and the state of both. State comes first; the address bar follows it, at most a few
// times a second. The back button and links bring other states.
import { EXPLORE, pathOf, withQuery } from "../domain/address";
import { INITIAL as NO_EXPLORE, readExplore, writeExplore, type Explore } from "../domain/explore";
import { readView, writeView, type View } from "../domain/view";
import { createStore, usePart } from "../ui/store";

export interface Place {
  exploring: boolean;
  /** The unit whose page is shown, as the path names it; "" for the tabs of Explore. */
  unit: string;
  view: View;
  explore: Explore;
}

/** The address bar is written at most this often: browsers refuse more than some hundred changes in half a minute. */
const PAUSE = 200;

/** The address of a place. That of the debugger holds nothing of Explore. */
export const addressOf = ({ exploring, unit, view, explore }: Place): string =>
  exploring ? withQuery(pathOf(unit), writeExplore(explore), writeView(view)) : withQuery("/", writeView(view));

/** The place of an address; what Explore showed last is kept to come back to. */
export function readPlace({ pathname, search }: Pick<URL, "pathname" | "search">, before: Place | null): Place {
  const exploring = pathname === EXPLORE || pathname.startsWith(`${EXPLORE}/`);
  const view = readView(search);
  if (!exploring) return { exploring, unit: before?.unit ?? "", view, explore: before?.explore ?? NO_EXPLORE };
  return { exploring, unit: unitOf(pathname), view, explore: readExplore(search) };
}

function unitOf(path: string): string {
  const name = path.slice(EXPLORE.length + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const store = createStore<Place>(readPlace(location, null));
let written = location.pathname + location.search;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Bring the address bar up to date now. */
function write(): void {
  clearTimeout(timer);
  timer = undefined;
  const address = addressOf(store.get());
  if (address === written) return;
  history.replaceState(null, "", address);
  written = address;
}

export const getPlace = (): Place => store.get();
export const subscribePlace = store.subscribe;

/** Change the state. A step is one that the browser's back button undoes. */
export function setPlace(change: Partial<Place>, step: boolean): void {
  const next = { ...store.get(), ...change };
  const address = addressOf(next);
  if (step && address !== addressOf(store.get())) {
    write();
    history.pushState(null, "", address);
    written = address;
  }
  store.set(next);
  timer ??= setTimeout(write, PAUSE);
}

/** Follow a link inside the page. */
export function go(href: string): void {
  write();
  const address = new URL(href, location.href);
  history.pushState(null, "", href);
  written = address.pathname + address.search;
  store.set(readPlace(address, store.get()));
}

addEventListener("popstate", () => {
  clearTimeout(timer);
  timer = undefined;
  written = location.pathname + location.search;
  store.set(readPlace(location, store.get()));
});
addEventListener("pagehide", write);

export const usePlace = <P>(part: (place: Place) => P): P => usePart(store, part);
export const useOnExplore = (): boolean => usePlace(({ exploring }) => exploring);
