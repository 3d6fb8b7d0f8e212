// Listens for the keyboard verbs wherever no text is being written and no control wants the key.
import { useEffect, useEffectEvent } from "react";
import { ACTIONS, EXPLORE_ACTIONS, possible, type Shown } from "./actions";

const WRITING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
/** Where arrow keys already mean something. */
const ARROWS = '[role="slider"], [role="radio"], [role="menu"], [role="dialog"], [role="separator"], dialog';
/** Where letters choose among what is listed. */
const LISTS = '[role="menu"], [role="listbox"]';
/** What closes by Escape before anything else does. */
const OPEN = '[role="menu"], [role="dialog"], dialog[open]';

export function useShortcuts(exploring: boolean, shown: Shown): void {
  const handle = useEffectEvent((event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    const chord = event.ctrlKey || event.metaKey;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    // In a text, only what is no letter of it: the palette.
    if (target?.closest(WRITING) && !(chord && event.key.toLowerCase() === "k")) return;
    if (event.key.startsWith("Arrow") && target?.closest(ARROWS)) return;
    if (event.key.length === 1 && !chord && target?.closest(LISTS)) return;
    if (event.key === "Escape" && document.querySelector(OPEN)) return;
    const action = possible(exploring ? EXPLORE_ACTIONS : ACTIONS, shown).find(({ matches }) => matches(event));
    if (action === undefined) return;
    event.preventDefault();
    action.perform(shown);
  });
  useEffect(() => {
    addEventListener("keydown", handle);
    return () => removeEventListener("keydown", handle);
  }, []);
}
