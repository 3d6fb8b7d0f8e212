// Concepts: named groups of edits that are switched and scaled together. Pure: their text, and what is in force. The
// members of a group all hold the same Concept.
import type { Concept, Edit, ListedEdit } from "./edit";

export type { Concept } from "./edit";

export interface Group {
  concept: Concept;
  /** Places of the members in the list. */
  places: number[];
}

export const STRONGEST = 2;
const LONGEST = 100;

/** A name as a concept can have it: one line, and not what would be read as a switch. "" where nothing is left. */
export function conceptName(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/^[\s!]+/, "")
    .slice(0, LONGEST)
    .trim();
}

export const newConcept = (name: string): Concept => ({ name, strength: 1, enabled: true });

/** The first of `name`, `name 2`, `name 3`, … that no group has. */
export function freeName(edits: readonly ListedEdit[], name: string): string {
  const taken = new Set(edits.map(({ concept }) => concept?.name));
  let found = name;
  for (let number = 2; taken.has(found); number++) found = `${name} ${number}`;
  return found;
}

/** `[!]name[*strength]`. */
export function formatConcept({ name, strength, enabled }: Concept): string {
  const scale = strength !== 1 || /\*[\d.]+$/.test(name) ? `*${strength}` : "";
  return `${enabled ? "" : "!"}${name}${scale}`;
}

/** Read what `formatConcept` writes; null where there is no name. */
export function parseConcept(text: string): Concept | null {
  const match = /^(!?)(.*?)(?:\*(\d+(?:\.\d+)?|\.\d+))?$/s.exec(text);
  const name = conceptName(match?.[2] ?? "");
  if (match === null || name === "") return null;
  const strength = match[3] === undefined ? 1 : Math.min(STRONGEST, Number(match[3]));
  return { name, strength, enabled: match[1] === "" };
}

/** The edits that belong to no group, and the groups, by the place of their first member. */
export function grouped(edits: readonly ListedEdit[]): (number | Group)[] {
  const found: (number | Group)[] = [];
  const groups = new Map<string, Group>();
  for (const [place, { concept }] of edits.entries()) {
    const group = concept === undefined ? undefined : groups.get(concept.name);
    if (group !== undefined) group.places.push(place);
    else if (concept === undefined) found.push(place);
    else {
      const first = { concept, places: [place] };
      groups.set(concept.name, first);
      found.push(first);
    }
  }
  return found;
}

export const isInForce = ({ enabled, concept }: ListedEdit): boolean => enabled && concept?.enabled !== false;

/** What is run: the edits that are in force, those of a group at its strength. */
export function inForce(edits: readonly ListedEdit[]): Edit[] {
  return edits.filter(isInForce).map((edit) => scaled(edit, edit.concept?.strength ?? 1));
}

/** An edit made stronger or weaker; `layermax` has no scale and stays as it is. The same arithmetic as a recipe's. */
export function scaled({ value, operation, amount, scope }: Edit, strength: number): Edit {
  const same = { value, operation, amount, scope };
  if (strength === 1) return same;
  switch (operation) {
    case "on":
    case "on-": {
      const factor = tidy((amount ?? 1) * strength);
      return { ...same, amount: factor === 1 ? null : factor };
    }
    case "=":
    case "+=":
      return { ...same, amount: tidy((amount ?? 0) * strength) };
    case "*=":
    case "off":
      return { ...same, operation: "*=", amount: tidy(1 + ((amount ?? 0) - 1) * strength) };
    case "layermax":
      return same;
  }
}

/** Without the last bits of a product of decimal fractions: 0.3 × 3 is 0.9. */
const tidy = (number: number): number => Number(number.toPrecision(12));

/** What an edit of the list is known by while the list changes: its unit, and which of that unit's edits it is. */
export const keyOf = (edits: readonly ListedEdit[], place: number): string => {
  const unit = edits[place]?.value ?? "";
  return `${unit} ${edits.slice(0, place).filter(({ value }) => value === unit).length}`;
};
