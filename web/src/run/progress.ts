// How many of the map's columns in sight are there: told by the map, shown in its head.
import { createStore, useStore } from "../ui/store";

const store = createStore<{ done: number; total: number }>({ done: 0, total: 0 });

export function tellProgress(done: number, total: number): void {
  const now = store.get();
  if (now.done !== done || now.total !== total) store.set({ done, total });
}

export const useProgress = () => useStore(store);
