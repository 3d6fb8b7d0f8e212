// The pages' keyboard verbs as data: name, keys, test and effect of each in one object.
import { redoEdit, undoEdit } from "../run/edits";
import type { Session } from "../run/useSession";
import { getView, setView } from "../run/view";
import { toggleTheme } from "../ui/hooks";

export interface Action {
  name: string;
  keys: string[];
  matches: (event: KeyboardEvent) => boolean;
  perform: (session: Session, help: () => void) => void;
}

const plain = (event: KeyboardEvent) => !event.ctrlKey && !event.metaKey && !event.altKey;
const key = (letter: string) => (event: KeyboardEvent) => plain(event) && event.key === letter;
const command = (letter: string, shift: boolean) => (event: KeyboardEvent) =>
  (event.ctrlKey || event.metaKey) && event.shiftKey === shift && event.key.toLowerCase() === letter;

function moveLayer(session: Session, step: number): void {
  const last = (session.trace.data?.model.layers ?? 1) - 1;
  const from = session.view.layer ?? (step > 0 ? -1 : last + 1);
  setView({ layer: Math.max(0, Math.min(last, from + step)) });
}

function movePosition(session: Session, step: number): void {
  if (session.length < 1) return;
  setView({ position: Math.max(0, Math.min(session.length - 1, session.position + step)) });
}

function cycleComparison(session: Session): void {
  if (!session.edited) return;
  const order = ["base", "edited", "difference"] as const;
  const next = order[(order.indexOf(session.compare) + 1) % order.length];
  if (next !== undefined) setView({ compare: next });
}

const UNDO: Action = { name: "Undo an edit", keys: ["Ctrl", "Z"], matches: command("z", false), perform: undoEdit };
const REDO: Action = {
  name: "Redo an edit",
  keys: ["Ctrl", "Shift", "Z"],
  matches: command("z", true),
  perform: redoEdit,
};
const THEME: Action = { name: "Light or dark", keys: ["t"], matches: key("t"), perform: toggleTheme };
const SHEET: Action = { name: "This sheet", keys: ["?"], matches: key("?"), perform: (_, help) => help() };

/** The link that leads to the previous or next dimension, where a value vector's page is shown. */
const follow = (id: string) => () => document.getElementById(id)?.click();

export const EXPLORE_ACTIONS: readonly Action[] = [
  { name: "Go to the search", keys: ["/"], matches: key("/"), perform: () => focus("search") },
  { name: "Next dimension", keys: ["→"], matches: key("ArrowRight"), perform: follow("next-dimension") },
  { name: "Previous dimension", keys: ["←"], matches: key("ArrowLeft"), perform: follow("previous-dimension") },
  UNDO,
  REDO,
  THEME,
  SHEET,
];

export const ACTIONS: readonly Action[] = [
  { name: "Next layer", keys: ["↓"], matches: key("ArrowDown"), perform: (session) => moveLayer(session, 1) },
  { name: "Previous layer", keys: ["↑"], matches: key("ArrowUp"), perform: (session) => moveLayer(session, -1) },
  { name: "Next token", keys: ["→"], matches: key("ArrowRight"), perform: (session) => movePosition(session, 1) },
  { name: "Previous token", keys: ["←"], matches: key("ArrowLeft"), perform: (session) => movePosition(session, -1) },
  { name: "Go to the prompt", keys: ["/"], matches: key("/"), perform: () => focus("prompt") },
  { name: "Add an edit", keys: ["e"], matches: key("e"), perform: () => focus("add-edit") },
  UNDO,
  REDO,
  { name: "Base, edited, difference", keys: ["d"], matches: key("d"), perform: cycleComparison },
  {
    name: "Lens grid or trajectory",
    keys: ["g"],
    matches: key("g"),
    perform: () => setView({ panel: getView().panel === "grid" ? "trajectory" : "grid" }),
  },
  { name: "Close the details", keys: ["Esc"], matches: key("Escape"), perform: () => setView({ value: "" }) },
  THEME,
  SHEET,
];

function focus(id: string): void {
  document.getElementById(id)?.focus();
}
