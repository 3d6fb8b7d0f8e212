// Goes back to a run of the history: everything of the view, not only prompt and edits.
import { restartEdits } from "../edits/actions";
import { parseEdit, type ListedEdit } from "../edits/edit";
import { readView, writeView, type View } from "../view/fields";
import { setView } from "../view/store";
import type { Content } from "./changes";

/** A view as a run remembers it: the prompt is the run's own. */
export const viewOf = (view: View): string => writeView({ ...view, prompt: "" });

export function restore(run: Content & { view: string }): void {
  const shown = readView(run.view);
  // A run that a program kept may tell nothing of the view: its edits are known nevertheless.
  const edits = shown.edits.length > 0 ? shown.edits : run.interventions.flatMap(listed);
  setView({ ...shown, prompt: run.prompt, edits });
  restartEdits(edits);
}

function listed(text: string): ListedEdit[] {
  const found = parseEdit(text);
  return "ok" in found ? [{ ...found.ok, enabled: true }] : [];
}
