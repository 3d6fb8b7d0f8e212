// The debugger's view state: read with `useView`, changed with `setView`. Where it is kept is place.ts's matter.
import type { View } from "../domain/view";
import { addressOf as addressOfPlace, getPlace, setPlace, usePlace } from "./place";

/** The address of a view in the debugger, wherever one is. */
export const addressOf = (view: View): string => addressOfPlace({ ...getPlace(), exploring: false, view });

/** Change some of the state. A new prompt or edit makes a step that the browser's back button undoes. */
export function setView(change: Partial<View>, merge = false): void {
  const step = !merge && ("prompt" in change || "edits" in change);
  setPlace({ view: { ...getPlace().view, ...change } }, step);
}

export const getView = (): View => getPlace().view;

export const useView = (): View => usePlace(({ view }) => view);

/** One piece of it: the component is not drawn again for the others. */
export const useViewPart = <K extends keyof View>(key: K): View[K] => usePlace(({ view }) => view[key]);
