// One tab stop for a group of many controls: Tab enters where one was last, arrow keys move inside. Items carry
// `data-rove` and `tabIndex={-1}`. Arrow keys stay the page's own for those who came by mouse.
import { useLayoutEffect, useRef, type RefObject } from "react";

const ITEM = "[data-rove]:not(:disabled)";
let byKeyboard = false;

if (typeof document !== "undefined") {
  document.addEventListener("keydown", ({ key }) => (byKeyboard ||= key === "Tab"), true);
  document.addEventListener("pointerdown", () => (byKeyboard = false), true);
}

const itemsOf = (group: HTMLElement): HTMLElement[] => Array.from(group.querySelectorAll<HTMLElement>(ITEM));

function makeCurrent(items: readonly HTMLElement[], current: HTMLElement | undefined): void {
  for (const item of items) {
    const index = item === current ? 0 : -1;
    if (item.tabIndex !== index) item.tabIndex = index;
  }
}

/** The nearest item above or below: the one in the next line that is least far aside. */
function beside(items: readonly HTMLElement[], from: HTMLElement, down: boolean): HTMLElement | undefined {
  const here = from.getBoundingClientRect();
  let best: HTMLElement | undefined;
  let closest = Infinity;
  for (const item of items) {
    const there = item.getBoundingClientRect();
    const away = down ? there.top - here.top : here.top - there.top;
    if (away < here.height / 2) continue;
    const distance = away * 4 + Math.abs(there.left - here.left);
    if (distance < closest) [best, closest] = [item, distance];
  }
  return best;
}

function move(group: HTMLElement, event: KeyboardEvent): void {
  const target = event.target;
  if (!byKeyboard || !(target instanceof HTMLElement) || !target.matches(ITEM)) return;
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const items = itemsOf(group);
  const at = items.indexOf(target);
  const next: Record<string, () => HTMLElement | undefined> = {
    ArrowRight: () => items[at + 1],
    ArrowLeft: () => items[at - 1],
    ArrowDown: () => beside(items, target, true),
    ArrowUp: () => beside(items, target, false),
    Home: () => items[0],
    End: () => items.at(-1),
  };
  const step = next[event.key];
  if (step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  step()?.focus();
}

/** The ref of a group. Nothing else is needed: it listens to what bubbles up from its items. */
export function useRoving<E extends HTMLElement>(): RefObject<E | null> {
  const ref = useRef<E>(null);
  // After every drawing: items come and go.
  useLayoutEffect(() => {
    const group = ref.current;
    if (group === null) return;
    const items = itemsOf(group);
    const chosen = items.find(({ tabIndex }) => tabIndex === 0);
    const pressed = items.find((item) => item.getAttribute("aria-pressed") === "true" || item.ariaCurrent === "true");
    makeCurrent(items, chosen ?? pressed ?? items[0]);
    const keys = (event: KeyboardEvent) => move(group, event);
    const focus = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement && target.matches(ITEM)) makeCurrent(itemsOf(group), target);
    };
    group.addEventListener("keydown", keys);
    group.addEventListener("focusin", focus);
    return () => {
      group.removeEventListener("keydown", keys);
      group.removeEventListener("focusin", focus);
    };
  });
  return ref;
}
