// Looking at a unit: it becomes the selection's, and the inspector shows it.
import { canonicalName } from "../domain/names";
import { setView } from "./view";

export function openUnit(name: string): void {
  setView({ value: canonicalName(name) ?? name, inspect: "auto" });
}

export const closeUnit = (): void => setView({ value: "", inspect: "auto" });
