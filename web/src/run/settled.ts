// The list of edits once it has stood still: a slider that is dragged runs the model where it stops, not on its way.
import { createStore, useStore } from "../ui/store";
import type { ListedEdit } from "../domain/edit";
import { getPlace, subscribePlace } from "./place";

const WAIT = 250;

const settled = createStore<readonly ListedEdit[]>(getPlace().view.edits);
let timer: ReturnType<typeof setTimeout> | undefined;

subscribePlace(() => {
  const { edits } = getPlace().view;
  clearTimeout(timer);
  if (edits === settled.get()) return;
  timer = setTimeout(() => settled.set(edits), WAIT);
});

export const useSettled = (): readonly ListedEdit[] => useStore(settled);
