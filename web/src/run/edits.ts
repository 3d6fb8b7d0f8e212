// What can be done with the list of edits, each with undo. The list itself is view state.
import { createStore, usePart } from "../ui/store";
import { getPlace } from "./place";
import { announce } from "../ui/announce";
import { addressOf, getView, setView } from "./view";
import { conceptName, newConcept, scaled, type Concept } from "../domain/concept";
import { formatEdit, type Edit, type ListedEdit } from "../domain/edit";
import { advance, begin, redo, undo, type Timeline } from "../domain/undo";

type List = readonly ListedEdit[];

const line = createStore<Timeline<List>>(begin<List>(getView().edits));
let lastMerge = "";

function show(next: Timeline<List>, merged = false): void {
  const edits = [...next.present];
  line.set({ ...next, present: edits });
  setView({ edits }, merged);
}

/** Steps with the same `merge` text, one after the other, count as one (a slider that is dragged). */
function change(next: List, merge = ""): void {
  const now = getView().edits;
  const known = line.get();
  const current = now === known.present ? known : { ...known, present: now };
  const merged = merge !== "" && merge === lastMerge;
  lastMerge = merge;
  show(merged ? { ...current, present: next, future: [] } : advance(current, next), merged);
}

/** Add an edit, enabled; one with the same value and scope is replaced. */
export function addEdit(edit: Edit): void {
  const others = getView().edits.filter(({ value, scope }) => value !== edit.value || scope !== edit.scope);
  change([...others, { ...edit, enabled: true }]);
}

type NewEdit = Pick<Edit, "value" | "operation"> & Partial<Edit>;

/**
 * Add several value vectors as edits in one step, from anywhere; each replaces what edited it at all positions. With a
 * name they are a group; one of that name is replaced as a whole.
 */
export function addToEdits(values: readonly NewEdit[], group = ""): void {
  const name = conceptName(group);
  const concept = name === "" ? undefined : newConcept(name);
  const added = values.map((edit): ListedEdit => ({
    amount: null,
    scope: "all",
    ...edit,
    enabled: true,
    ...(concept && { concept }),
  }));
  const replaced = new Set(added.map(({ value, scope }) => `${value}@${scope}`));
  const others = getView().edits.filter(
    (edit) => !replaced.has(`${edit.value}@${edit.scope}`) && (name === "" || edit.concept?.name !== name),
  );
  change([...others, ...added]);
  const counted = added.length === 1 ? formatEdit(added[0] as Edit) : `${added.length} edits`;
  const what = concept === undefined ? counted : `${counted} as “${name}”`;
  announce(`Added ${what}`, getPlace().exploring ? { label: "See the prediction", href: addressOf(getView()) } : null);
}

export function changeEdit(index: number, part: Partial<ListedEdit>, merge = ""): void {
  change(
    getView().edits.map((edit, place) => (place === index ? { ...edit, ...part } : edit)),
    merge,
  );
}

export function removeEdit(index: number): void {
  change(getView().edits.filter((_, place) => place !== index));
}

/** Put edits into a group, after its other members (undefined: into none). */
export function moveEdits(places: readonly number[], concept: Concept | undefined): void {
  const edits = getView().edits;
  const moved = places.flatMap((place): ListedEdit[] => {
    const edit = edits[place];
    return edit === undefined ? [] : [concept === undefined ? withoutConcept(edit) : { ...edit, concept }];
  });
  change([...edits.filter((_, place) => !places.includes(place)), ...moved]);
}

/** Rename, switch or scale a group. */
export function changeConcept(name: string, part: Partial<Concept>, merge = ""): void {
  change(
    getView().edits.map((edit) =>
      edit.concept?.name === name ? { ...edit, concept: { ...edit.concept, ...part } } : edit,
    ),
    merge,
  );
}

/** The group's edits stay, as they are at its strength. */
export function ungroup(name: string): void {
  change(
    getView().edits.map((edit) => {
      if (edit.concept?.name !== name) return edit;
      const { strength, enabled } = edit.concept;
      return { ...scaled(edit, strength), enabled: edit.enabled && enabled };
    }),
  );
}

export function removeConcept(name: string): void {
  change(getView().edits.filter(({ concept }) => concept?.name !== name));
}

const withoutConcept = ({ value, operation, amount, scope, enabled }: ListedEdit): ListedEdit => ({
  value,
  operation,
  amount,
  scope,
  enabled,
});

export const clearEdits = (): void => change([]);

export function undoEdit(): void {
  lastMerge = "";
  show(undo(line.get()));
}

export function redoEdit(): void {
  lastMerge = "";
  show(redo(line.get()));
}

/** Another run's edits: its own beginning, nothing to undo into the run before. */
export function restartEdits(edits: List): void {
  lastMerge = "";
  line.set(begin(edits));
}

export function useUndo(): { canUndo: boolean; canRedo: boolean } {
  const canUndo = usePart(line, ({ past }) => past.length > 0);
  const canRedo = usePart(line, ({ future }) => future.length > 0);
  return { canUndo, canRedo };
}

/** The listed edits of a value vector, as text. */
export function editsOf(edits: List, value: string): string {
  return edits
    .filter((edit) => edit.value === value)
    .map(formatEdit)
    .join(", ");
}
