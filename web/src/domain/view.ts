// The one table of the debugger's view state: what each piece is called in the URL, its default and its encoding. Pure.
import {
  choice,
  initialOf,
  number,
  flag,
  place,
  readFields,
  text,
  texts,
  writeFields,
  type Field,
  type StateOf,
} from "./fields";
import { FAR, MOST_BISECTED } from "./bisect";
import { formatConcept, newConcept, parseConcept, type Concept } from "./concept";
import { cutDirection } from "./direction";
import { formatEdit, parseEdit, type ListedEdit } from "./edit";

const ids = (key: string): Field<number[]> => ({
  key,
  initial: [],
  write: (value) => [value.join(".")],
  read: ([first]) =>
    first !== undefined && /^\d+(\.\d+)*$/.test(first) ? first.split(".").slice(0, 8).map(Number) : undefined,
});

const edits = (key: string): Field<ListedEdit[]> => ({
  key,
  initial: [],
  write: (value) => value.map((edit) => (edit.enabled ? "" : "!") + formatEdit(edit) + written(value, edit)),
  read: (texts) => {
    const concepts = new Map<string, Concept>();
    return texts.flatMap((item): ListedEdit[] => {
      const text = item.replace(/^!/, "");
      const cut = cutDirection(text); // what it quotes may hold a #
      const hash = text.indexOf("#", cut !== null && "rest" in cut ? text.length - cut.rest.length : 0);
      const found = parseEdit(hash < 0 ? text : text.slice(0, hash));
      if ("error" in found) return [];
      const edit: ListedEdit = { ...found.ok, enabled: !item.startsWith("!") };
      const concept = hash < 0 ? null : parseConcept(text.slice(hash + 1));
      if (concept === null) return [edit];
      const shared = concepts.get(concept.name) ?? concept;
      concepts.set(concept.name, shared);
      return [{ ...edit, concept: shared }];
    });
  },
});

/** The group of an edit, after a `#`: the first member tells how strong it is and whether it is in force. */
function written(edits: readonly ListedEdit[], edit: ListedEdit): string {
  const { concept } = edit;
  if (concept === undefined) return "";
  const first = edits.find((one) => one.concept?.name === concept.name);
  return `#${formatConcept(first === edit ? concept : newConcept(concept.name))}`;
}

export const FIELDS = {
  prompt: text("p"),
  edits: edits("e"),
  /** The run that this one is compared with: its prompt and edits as text. Without a prompt it is this one unedited. */
  aPrompt: text("a"),
  aEdits: texts("ae"),
  /** Through which layers are read: by itself the best that is kept. And A, where it is read through another. */
  lens: text("lens"),
  aLens: text("alens"),
  /** The debugging session that is shown, and what the next one watches and stops at. */
  session: text("session"),
  watches: texts("watch"),
  breakpoints: texts("break"),
  position: place("at"),
  layer: place("layer"),
  /** The value vector or head that is looked at. */
  value: text("value"),
  /** What the inspector shows: by itself the unit that is looked at, else why. */
  inspect: choice("inspect", ["auto", "why", "vector", "head"]),
  /** Whose logit is explained: the most probable token if left out; and against which other one. */
  target: place("target"),
  versus: place("vs"),
  /** Whether the likeliest parts are switched off, to measure what they do. */
  verify: flag("verify"),
  /** How that is estimated, what takes a part's place, of which prompt; and whether heads are split by the tokens they read. */
  estimate: choice("estimate", ["default", "gradient", "integrated", "relevance"]),
  ablate: choice("ablate", ["zero", "mean", "resample"]),
  resample: text("resample"),
  sources: flag("sources"),
  compare: choice("show", ["edited", "base", "difference"]),
  panel: choice("panel", ["grid", "flow", "heads", "patch", "trajectory"]),
  /** The flow: the least contribution that is shown, 0 for that which leaves a few edges; the edge that is looked at; edges
   * whose routes are kept in sight. */
  /** Whether the map shows A beside B. */
  split: flag("split"),
  threshold: number("least", 0, 0, 1, false),
  edge: text("edge"),
  pins: texts("pin"),
  headOrder: choice("heads", ["norm", "share", "previous", "induction", "duplicate", "first", "layer"]),
  /** The prompt whose activations are patched in, and of which part; or where the two runs part. */
  source: text("from"),
  part: choice("part", ["residual", "attention", "ffn", "heads", "paths", "bisect"]),
  /** Whether two runs are bisected, or this model and the server's other one. */
  between: choice("between", ["runs", "models"]),
  /** Tokens that the two models write at most until one differs. */
  most: number("most", FAR, 0, MOST_BISECTED),
  /** Of paths: the part that reads, what it reads, and what is computed anew between. */
  receiver: text("to"),
  sender: choice("sender", ["heads", "ffn"]),
  through: choice("anew", ["nothing", "ffn"]),
  /** Whose prediction is patched: the chosen position if left out. */
  read: place("read"),
  colour: choice("color", ["probability", "token", "entropy", "rank"]),
  measure: choice("measure", ["probability", "rank", "watches"]),
  /** Whether watches are drawn through the layers or along the tokens of the continuation. */
  along: choice("along", ["layers", "steps"]),
  sort: choice("sort", ["score", "share", "coefficient", "effect"]),
  all: flag("all"),
  followed: ids("follow"),
  generate: number("generate", 0, 0, 512),
  temperature: number("temperature", 0, 0, 10, false),
  topP: number("top_p", 1, 0, 1, false),
  seed: number("seed", 0, 0, 2 ** 31 - 1),
} as const;

export type View = StateOf<typeof FIELDS>;

export const INITIAL: View = initialOf(FIELDS);
export const readView = (query: string): View => readFields(FIELDS, query);
export const writeView = (view: View): string => writeFields(FIELDS, view);
