// The keyboard verbs at work: a component of its own, so that only it follows what they need to know.
import { useShortcuts } from "./useShortcuts";
import { useShown } from "./useShown";

export function Keys({ exploring }: { exploring: boolean }) {
  useShortcuts(exploring, useShown());
  return null;
}
