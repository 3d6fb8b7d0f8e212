// Explore's state: read with `useExplore`, changed with `setExplore`. Where it is kept is place.ts's matter.
import { pathOf } from "../domain/address";
import { INITIAL, type Explore } from "../domain/explore";
import { addressOf, getPlace, setPlace, usePlace } from "./place";

export interface ExploreState extends Explore {
  /** The unit whose page is shown, as the path names it; "" for the tabs. */
  unit: string;
}

/** A place of the tabs for a link: what is not said is the default. The debugger's state goes along. */
export const exploreAddress = (state: Partial<Explore> = {}): string =>
  addressOf({ ...getPlace(), exploring: true, unit: "", explore: { ...INITIAL, ...state } });

/** What is sent to somebody else: a unit's page, without one's own prompt and search. */
export const shareAddress = (unit: string): string => new URL(pathOf(unit), location.href).href;

/** Where Explore stands, to come back to; or a unit's page with it ("" for none). For a link. */
export const lastExploreAddress = (unit = getPlace().unit): string =>
  addressOf({ ...getPlace(), exploring: true, unit });

/** These make steps that the browser's back button undoes; the others change what is on show. */
const STEPS: readonly (keyof Explore)[] = ["tab", "like", "residual", "cluster"];

/** Change some of the state. */
export function setExplore(change: Partial<Explore>): void {
  const current = getPlace().explore;
  const step = STEPS.some((name) => name in change && JSON.stringify(change[name]) !== JSON.stringify(current[name]));
  setPlace({ explore: { ...current, ...change } }, step);
}

export const getExplore = (): Explore => getPlace().explore;

export const useExplore = (): Explore => usePlace(({ explore }) => explore);
export const useUnitShown = (): string => usePlace(({ unit }) => unit);
