// How two runs differ in what was asked for: prompt and edits. Pure.

export interface Content {
  prompt: string;
  interventions: readonly string[];
}

/** What an edit is of, and what it does: `L12D345@last` and `=on*0.5`. */
function parts(edit: string): { what: string; change: string } {
  const found = /^([^=*+]*)([^@]*)(@.*)?$/s.exec(edit);
  return { what: `${found?.[1] ?? edit}${found?.[3] ?? ""}`, change: found?.[2] ?? "" };
}

/** An edit with its numbers as this page writes them: the server says `2.0` and `1e-05`. */
export function withPlainNumbers(edit: string): string {
  const found = /^([^=*+]*)([^@]*)(@.*)?$/s.exec(edit);
  const change = found?.[2]?.replace(/\d[\d.]*(?:e[+-]?\d+)?/gi, (number) => String(Number(number))) ?? "";
  return `${found?.[1] ?? edit}${change}${found?.[3] ?? ""}`;
}

export interface Changes {
  prompt: boolean;
  added: string[];
  removed: string[];
  /** Edits of the same vectors in the same places: before and now. */
  changed: [string, string][];
}

export function changesBetween(from: Content, to: Content): Changes {
  const before = new Map(from.interventions.map((edit) => [parts(edit).what, edit]));
  const after = new Map(to.interventions.map((edit) => [parts(edit).what, edit]));
  return {
    prompt: from.prompt !== to.prompt,
    added: [...after].flatMap(([what, edit]) => (before.has(what) ? [] : [edit])),
    removed: [...before].flatMap(([what, edit]) => (after.has(what) ? [] : [edit])),
    changed: [...after].flatMap(([what, edit]): [string, string][] => {
      const earlier = before.get(what);
      const same = earlier === undefined || withPlainNumbers(earlier) === withPlainNumbers(edit);
      return same ? [] : [[earlier, edit]];
    }),
  };
}

/** Whether one number was changed into another: a slider on its way. */
export function isMove(from: Content, to: Content): boolean {
  const { prompt, added, removed, changed } = changesBetween(from, to);
  const [only] = changed;
  if (prompt || added.length + removed.length > 0 || changed.length !== 1 || only === undefined) return false;
  return only.every((edit) => /\d/.test(parts(edit).change));
}
