// Listens for the keyboard verbs wherever no text is being written and no control wants the key.
import { useEffect, useEffectEvent } from "react";
import type { Session } from "../run/useSession";
import { ACTIONS, EXPLORE_ACTIONS } from "./actions";

const WRITING = "input, textarea, select, [contenteditable]";
/** Where arrow keys already mean something. */
const ARROWS = '[role="slider"], [role="radio"], [role="menu"], [role="dialog"], dialog';

export function useShortcuts(exploring: boolean, session: Session, help: () => void): void {
  const handle = useEffectEvent((event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.defaultPrevented || target?.closest(WRITING) || document.querySelector("dialog[open]")) return;
    if (event.key.startsWith("Arrow") && target?.closest(ARROWS)) return;
    const action = (exploring ? EXPLORE_ACTIONS : ACTIONS).find(({ matches }) => matches(event));
    if (action === undefined) return;
    event.preventDefault();
    action.perform(session, help);
  });
  useEffect(() => {
    addEventListener("keydown", handle);
    return () => removeEventListener("keydown", handle);
  }, []);
}
