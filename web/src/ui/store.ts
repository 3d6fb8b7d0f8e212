// One value that several components share: the helper that every store of the page is made with.
import { useRef, useSyncExternalStore } from "react";

export interface Store<T> {
  get: () => T;
  /** Put another value in; whoever reads it is told, unless it is the same. */
  set: (next: T) => void;
  subscribe: (listener: () => void) => () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let current = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => current,
    set: (next) => {
      if (Object.is(next, current)) return;
      current = next;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get);

/** A part of a store's value: the component is drawn again only where the part is another. */
export function usePart<T, P>(store: Store<T>, part: (value: T) => P, same: (a: P, b: P) => boolean = Object.is): P {
  const last = useRef<{ value: T; by: (value: T) => P; part: P } | null>(null);
  return useSyncExternalStore(store.subscribe, () => {
    const value = store.get();
    const before = last.current;
    if (before !== null && Object.is(before.value, value) && before.by === part) return before.part;
    const found = part(value);
    const kept = before !== null && same(before.part, found) ? before.part : found;
    last.current = { value, by: part, part: kept };
    return kept;
  });
}
