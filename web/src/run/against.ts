// What A is: the run without edits, another prompt, or a kept run.
import type { Content } from "../domain/changes";
import { getView, setView } from "./view";

/** Compare with a run from now on. */
export function setA({ prompt, interventions }: Content): void {
  const unedited = interventions.length === 0 && prompt === getView().prompt;
  setView({
    aLens: "",
    aPrompt: unedited ? "" : prompt,
    aEdits: unedited ? [] : [...interventions],
    compare: getView().compare === "edited" ? "difference" : getView().compare,
  });
}

/** Compare with the run itself, without its edits. */
export const setBase = (): void => setView({ aPrompt: "", aEdits: [], aLens: "" });

/** Look for the place where A and B part; where they are the same run, where two prompts do. */
export const bisect = (): void => setView({ panel: "patch", part: "bisect", between: "runs", source: "", read: null });

/** Compare with the same run, read through another lens. */
export function setALens(lens: string, interventions: readonly string[]): void {
  const { prompt, compare } = getView();
  setView({
    ...{ aPrompt: prompt, aEdits: [...interventions], aLens: lens, split: true },
    compare: compare === "base" ? "edited" : compare,
  });
}
