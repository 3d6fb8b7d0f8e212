// The verbs of the page as data: name, keys, test and effect of each in one object. Keyboard, palette and sheet read them.
import { bisect, setBase } from "../run/against";
import { clearEdits, redoEdit, undoEdit } from "../run/edits";
import { stopGeneration } from "../run/generation";
import { showPalette, showSheet, tourStep } from "../run/overlays";
import { go } from "../run/place";
import { lastExploreAddress } from "../run/explore";
import { pauseSession, type Paused } from "../run/session";
import { moveLayer, movePosition } from "../run/selection";
import { copyLink } from "../run/share";
import { closeUnit } from "../run/unit";
import { addressOf, getView, setView } from "../run/view";
import { toggleTheme } from "../ui/theme";

const PANELS = ["grid", "flow", "heads", "patch", "trajectory"] as const;

/** What an action needs to know of what is shown. */
export interface Shown {
  layers: number;
  length: number;
  position: number;
  compared: boolean;
  /** The debugging session, where one waits for a verb. */
  paused: Paused | null;
}

export interface Action {
  name: string;
  /** Of a key alone or with others; none for what is only in the palette. */
  keys: readonly string[];
  matches: (event: KeyboardEvent) => boolean;
  /** Whether it can be done here; without it, always. */
  possible?: (shown: Shown) => boolean;
  perform: (shown: Shown) => void;
}

const plain = (event: KeyboardEvent) => !event.ctrlKey && !event.metaKey && !event.altKey;
const key = (letter: string) => (event: KeyboardEvent) => plain(event) && event.key === letter;
const command = (letter: string, shift: boolean) => (event: KeyboardEvent) =>
  (event.ctrlKey || event.metaKey) && event.shiftKey === shift && event.key.toLowerCase() === letter;
const never = () => false;

function cycleComparison({ compared }: Shown): void {
  if (!compared) return;
  const order = ["base", "edited", "difference"] as const;
  const next = order[(order.indexOf(getView().compare) + 1) % order.length];
  if (next !== undefined) setView({ compare: next });
}

function nextPanel(): void {
  const { panel } = getView();
  setView({ panel: PANELS[(PANELS.indexOf(panel) + 1) % PANELS.length] ?? "grid" });
}

const only = (name: string, perform: Action["perform"]): Action => ({ name, keys: [], matches: never, perform });

/** A button or link that is shown, by its id. */
const press = (id: string) => () => document.getElementById(id)?.click();

function stop(): void {
  stopGeneration();
  pauseSession();
}

/** A verb of a debugging session, by the letter that `lm-debugger debug` knows it by. */
const verb = (
  name: string,
  letter: string,
  perform: (paused: Paused) => void,
  possible: (paused: Paused) => boolean = () => true,
): Action => ({
  ...{ name, keys: [letter], matches: key(letter) },
  possible: ({ paused }) => paused !== null && possible(paused),
  perform: ({ paused }) => paused !== null && perform(paused),
});

const SESSION: readonly Action[] = [
  verb("Debugger: step over a token, or a layer", "n", ({ verbs }) => verbs.run({ verb: "step", how: "over" })),
  verb("Debugger: step into the next token, or part", "s", ({ verbs }) => verbs.run({ verb: "step", how: "into" })),
  verb(
    "Debugger: step out, finish the token",
    "r",
    ({ verbs }) => verbs.run({ verb: "step", how: "out" }),
    ({ inside }) => inside,
  ),
  verb("Debugger: continue to a breakpoint", "c", ({ verbs }) => verbs.run({ verb: "continue" })),
  verb(
    "Debugger: back, undo a step",
    "u",
    ({ verbs }) => verbs.move({ verb: "back", count: 1 }),
    ({ count, inside }) => count > 0 || inside,
  ),
  { name: "Add a breakpoint", keys: ["b"], matches: key("b"), perform: () => focus("add-breakpoint") },
  only("Debug: pause where a breakpoint is true", press("debug")),
];

/** What can be done where one is. */
export const possible = (actions: readonly Action[], shown: Shown): readonly Action[] =>
  actions.filter((action) => action.possible?.(shown) ?? true);

const COMMON: readonly Action[] = [
  { name: "Command palette", keys: ["Ctrl", "K"], matches: command("k", false), perform: showPalette },
  { name: "Undo an edit", keys: ["Ctrl", "Z"], matches: command("z", false), perform: undoEdit },
  { name: "Redo an edit", keys: ["Ctrl", "Shift", "Z"], matches: command("z", true), perform: redoEdit },
  { name: "Light or dark", keys: ["t"], matches: key("t"), perform: toggleTheme },
  { name: "Keyboard shortcuts", keys: ["?"], matches: key("?"), perform: showSheet },
  only("Copy a link to this view", copyLink),
];

export const EXPLORE_ACTIONS: readonly Action[] = [
  { name: "Go to the search", keys: ["/"], matches: key("/"), perform: () => focus("search") },
  { name: "Next dimension", keys: ["→"], matches: key("ArrowRight"), perform: press("next-unit") },
  { name: "Previous dimension", keys: ["←"], matches: key("ArrowLeft"), perform: press("previous-unit") },
  only("Go to the debugger", () => go(addressOf(getView()))),
  ...COMMON,
];

export const ACTIONS: readonly Action[] = [
  { name: "Layer above", keys: ["↑"], matches: key("ArrowUp"), perform: ({ layers }) => moveLayer(1, layers) },
  { name: "Layer below", keys: ["↓"], matches: key("ArrowDown"), perform: ({ layers }) => moveLayer(-1, layers) },
  {
    name: "Next token",
    keys: ["→"],
    matches: key("ArrowRight"),
    perform: ({ position, length }) => movePosition(1, position, length),
  },
  {
    name: "Previous token",
    keys: ["←"],
    matches: key("ArrowLeft"),
    perform: ({ position, length }) => movePosition(-1, position, length),
  },
  { name: "Go to the prompt", keys: ["/"], matches: key("/"), perform: () => focus("prompt") },
  { name: "Add an edit", keys: ["e"], matches: key("e"), perform: () => focus("add-edit") },
  { name: "A, B, difference", keys: ["d"], matches: key("d"), perform: cycleComparison },
  { name: "Next view of the map", keys: ["g"], matches: key("g"), perform: nextPanel },
  only("Map", () => setView({ panel: "grid" })),
  only("Flow: the routes to the prediction", () => setView({ panel: "flow" })),
  only("Heads of the prompt", () => setView({ panel: "heads" })),
  only("Patch: where two prompts part", () => setView({ panel: "patch" })),
  only("Trajectory of the followed tokens", () =>
    setView({ panel: "trajectory", measure: getView().measure === "watches" ? "probability" : getView().measure }),
  ),
  only("Watches through layers", () => setView({ panel: "trajectory", measure: "watches", along: "layers" })),
  only("Watches along the continuation", () => setView({ panel: "trajectory", measure: "watches", along: "steps" })),
  {
    name: "One layer or all layers",
    keys: ["l"],
    matches: key("l"),
    perform: () => setView({ all: !getView().all }),
  },
  { name: "Why this token", keys: ["w"], matches: key("w"), perform: () => setView({ inspect: "why" }) },
  ...SESSION,
  { name: "Close the unit", keys: ["Esc"], matches: key("Escape"), perform: closeUnit },
  only("Paths: what one part reads of two prompts", () => setView({ panel: "patch", part: "paths" })),
  only("Bisect: where A and B part", bisect),
  only("Compare with this run without edits", setBase),
  only("Remove all edits", clearEdits),
  only("Stop generating", stop),
  only("Take the tour", () => tourStep(0)),
  only("Go to Explore", () => go(lastExploreAddress())),
  ...COMMON,
];

function focus(id: string): void {
  document.getElementById(id)?.focus();
}
