// One short message at a time about what was just done, with a link to where it shows. `Announcement` shows it.
import { createStore, useStore } from "./store";

export interface Message {
  text: string;
  link: { label: string; href: string } | null;
}

const LASTS = 6000;

const message = createStore<Message | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string, link: Message["link"] = null): void {
  clearTimeout(timer);
  message.set({ text, link });
  timer = setTimeout(dismiss, LASTS);
}

export function dismiss(): void {
  clearTimeout(timer);
  message.set(null);
}

export const useMessage = (): Message | null => useStore(message);
