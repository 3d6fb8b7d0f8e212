// One short message at a time about what was just done, with a link to where it shows. `Announcement` shows it.
import { useSyncExternalStore } from "react";

export interface Message {
  text: string;
  link: { label: string; href: string } | null;
}

const LASTS = 6000;

let current: Message | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function show(message: Message | null): void {
  clearTimeout(timer);
  current = message;
  for (const listener of listeners) listener();
}

export function announce(text: string, link: Message["link"] = null): void {
  show({ text, link });
  timer = setTimeout(dismiss, LASTS);
}

export const dismiss = (): void => show(null);

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useMessage = (): Message | null => useSyncExternalStore(subscribe, () => current);
