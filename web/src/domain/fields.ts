// Tables of state that lives in the URL: what each piece is called there, its default and its encoding. Pure.

export interface Field<T> {
  key: string;
  initial: T;
  write(value: T): string[];
  /** Texts that cannot be read give undefined: the default is used. */
  read(texts: string[]): T | undefined;
}

export const text = (key: string): Field<string> => ({
  key,
  initial: "",
  write: (value) => [value],
  read: ([first]) => first,
});

export const number = (
  key: string,
  initial: number,
  minimum: number,
  maximum: number,
  whole = true,
): Field<number> => ({
  key,
  initial,
  write: (value) => [String(value)],
  read: ([first]) => {
    const found = Number(first);
    const valid = first !== "" && found >= minimum && found <= maximum && (!whole || Number.isInteger(found));
    return valid ? found : undefined;
  },
});

/** A whole number from 0, or null. */
export const place = (key: string): Field<number | null> => ({
  key,
  initial: null,
  write: (value) => [String(value)],
  read: ([first]) => (first !== undefined && /^\d{1,7}$/.test(first) ? Number(first) : undefined),
});

export const choice = <T extends string>(key: string, options: readonly [T, ...T[]]): Field<T> => ({
  key,
  initial: options[0],
  write: (value) => [value],
  read: ([first]) => options.find((option) => option === first),
});

export const flag = (key: string): Field<boolean> => ({
  key,
  initial: false,
  write: () => ["1"],
  read: ([first]) => first === "1",
});

export const texts = (key: string): Field<string[]> => ({
  key,
  initial: [],
  write: (value) => value,
  read: (found) => found,
});

/** Two whole numbers with a mark between them, or null. */
export const pair = (key: string, mark: "-" | "."): Field<[number, number] | null> => ({
  key,
  initial: null,
  write: (value) => (value === null ? [] : [value.join(mark)]),
  read: ([first = ""]) => {
    const parts = first.split(mark);
    return parts.length === 2 && parts.every((part) => /^\d{1,7}$/.test(part))
      ? [Number(parts[0]), Number(parts[1])]
      : undefined;
  },
});

type Table = Readonly<Record<string, Field<unknown>>>;
export type StateOf<T extends Readonly<Record<string, { initial: unknown }>>> = {
  -readonly [K in keyof T]: T[K]["initial"];
};

export function initialOf<T extends Table>(table: T): StateOf<T> {
  return Object.fromEntries(Object.entries(table).map(([name, { initial }]) => [name, initial])) as StateOf<T>;
}

/** The state that a URL's query holds; what it does not hold or holds wrongly is the default. */
export function readFields<T extends Table>(table: T, query: string): StateOf<T> {
  const parameters = new URLSearchParams(query);
  const state: Record<string, unknown> = initialOf(table);
  for (const [name, field] of Object.entries(table)) {
    const found = parameters.getAll(field.key);
    const value = found.length > 0 ? field.read(found) : undefined;
    if (value !== undefined) state[name] = value;
  }
  return state as StateOf<T>;
}

/** The query that holds all state that is not the default, in the table's order. */
export function writeFields<T extends Table>(table: T, state: StateOf<T>): string {
  const parameters = new URLSearchParams();
  for (const [name, field] of Object.entries(table)) {
    const value = state[name as keyof T];
    if (JSON.stringify(value) === JSON.stringify(field.initial)) continue;
    for (const item of field.write(value)) parameters.append(field.key, item);
  }
  return parameters.toString();
}
