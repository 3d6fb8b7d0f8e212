// Goes back to a run of the history: everything of the view, not only prompt and edits.
import { restartEdits } from "./edits";
import { parseEdit, type ListedEdit } from "../domain/edit";
import { readView, writeView, type View } from "../domain/view";
import { setView } from "./view";
import type { Content } from "../domain/changes";

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
