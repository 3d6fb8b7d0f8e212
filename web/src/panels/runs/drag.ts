// A run on its way by drag and drop: from the drawer onto A or B.
import type { Content } from "../../domain/changes";

const TYPE = "application/x-lm-debugger-run";

export type Dragged = Content & { view: string };

export function startDrag(data: DataTransfer, { prompt, interventions, view }: Dragged): void {
  data.effectAllowed = "copy";
  data.setData(TYPE, JSON.stringify({ prompt, interventions, view }));
  data.setData("text/plain", prompt);
}

export const holdsRun = (data: DataTransfer): boolean => data.types.includes(TYPE);

export function droppedRun(data: DataTransfer): Dragged | null {
  const text = data.getData(TYPE);
  return text === "" ? null : (JSON.parse(text) as Dragged);
}
