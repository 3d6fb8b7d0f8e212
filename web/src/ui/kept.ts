// A small choice that this browser keeps: sizes of panes, what is open, the theme. Not part of a shared address.
import { createStore, type Store } from "./store";

const PREFIX = "lm-debugger-";

/** A store whose value survives a reload; what is kept and does not pass the test is not believed. */
export function kept<T>(
  name: string,
  initial: T,
  valid: (value: unknown) => boolean = (value) => typeof value === typeof initial,
): Store<T> {
  const store = createStore<T>(read(name, initial, valid));
  store.subscribe(() => {
    try {
      localStorage.setItem(PREFIX + name, JSON.stringify(store.get()));
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
  return store;
}

function read<T>(name: string, initial: T, valid: (value: unknown) => boolean): T {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PREFIX + name) ?? "null");
    return valid(found) ? (found as T) : initial;
  } catch {
    return initial;
  }
}
