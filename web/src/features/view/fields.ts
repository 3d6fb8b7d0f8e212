// The one table of view state: what each piece is called in the URL, its default and its encoding. Pure.
import { formatEdit, parseEdit, type ListedEdit } from "../edits/edit";

export interface Field<T> {
  key: string;
  initial: T;
  write: (value: T) => string[];
  /** Texts that cannot be read give undefined: the default is used. */
  read: (texts: string[]) => T | undefined;
}

const text = (key: string): Field<string> => ({
  key,
  initial: "",
  write: (value) => [value],
  read: ([first]) => first,
});

const number = (key: string, initial: number, minimum: number, maximum: number, whole = true): Field<number> => ({
  key,
  initial,
  write: (value) => [String(value)],
  read: ([first]) => {
    const found = Number(first);
    const valid = first !== "" && found >= minimum && found <= maximum && (!whole || Number.isInteger(found));
    return valid ? found : undefined;
  },
});

const place = (key: string): Field<number | null> => ({
  key,
  initial: null,
  write: (value) => [String(value)],
  read: ([first]) => (first !== undefined && /^\d{1,7}$/.test(first) ? Number(first) : undefined),
});

const choice = <T extends string>(key: string, options: readonly [T, ...T[]]): Field<T> => ({
  key,
  initial: options[0],
  write: (value) => [value],
  read: ([first]) => options.find((option) => option === first),
});

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
  write: (value) => value.map((edit) => (edit.enabled ? "" : "!") + formatEdit(edit)),
  read: (texts) =>
    texts.flatMap((item) => {
      const found = parseEdit(item.replace(/^!/, ""));
      return "ok" in found ? [{ ...found.ok, enabled: !item.startsWith("!") }] : [];
    }),
});

export const FIELDS = {
  prompt: text("p"),
  edits: edits("e"),
  position: place("at"),
  layer: place("layer"),
  value: text("value"),
  compare: choice("show", ["edited", "base", "difference"]),
  panel: choice("panel", ["grid", "trajectory"]),
  colour: choice("color", ["probability", "entropy", "rank"]),
  measure: choice("measure", ["probability", "rank"]),
  sort: choice("sort", ["score", "share", "coefficient", "effect"]),
  followed: ids("follow"),
  generate: number("generate", 0, 0, 512),
  temperature: number("temperature", 0, 0, 10, false),
  topP: number("top_p", 1, 0, 1, false),
  seed: number("seed", 0, 0, 2 ** 31 - 1),
} as const;

export type View = { -readonly [K in keyof typeof FIELDS]: (typeof FIELDS)[K]["initial"] };
type FieldName = keyof View;

const NAMES = Object.keys(FIELDS) as FieldName[];

export const INITIAL = Object.fromEntries(NAMES.map((name) => [name, FIELDS[name].initial])) as View;

/** The state that a URL's query holds; what it does not hold or holds wrongly is the default. */
export function readView(query: string): View {
  const parameters = new URLSearchParams(query);
  const view: Record<string, unknown> = { ...INITIAL };
  for (const name of NAMES) {
    const field = FIELDS[name] as Field<unknown>;
    const texts = parameters.getAll(field.key);
    const found = texts.length > 0 ? field.read(texts) : undefined;
    if (found !== undefined) view[name] = found;
  }
  return view as View;
}

/** The query that holds all state that is not the default, in the table's order. */
export function writeView(view: View): string {
  const parameters = new URLSearchParams();
  for (const name of NAMES) {
    const field = FIELDS[name] as Field<unknown>;
    const value = view[name];
    if (JSON.stringify(value) === JSON.stringify(field.initial)) continue;
    for (const item of field.write(value)) parameters.append(field.key, item);
  }
  return parameters.toString();
}
