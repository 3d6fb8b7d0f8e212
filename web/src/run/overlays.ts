// What lies over the page: the command palette, the sheet of keys; and the inspector and the setup where there is no
// room for them beside the map.
import { createStore, useStore } from "../ui/store";

export type Overlay = "" | "palette" | "sheet";

const overlay = createStore<Overlay>("");
export const showPalette = (): void => overlay.set("palette");
export const showSheet = (): void => overlay.set("sheet");
export const closeOverlay = (): void => overlay.set("");
export const useOverlay = (): Overlay => useStore(overlay);

const tour = createStore<number | null>(null);
/** Show a step of the guided tour, or none. */
export const tourStep = (step: number | null): void => tour.set(step);
export const useTourStep = (): number | null => useStore(tour);
