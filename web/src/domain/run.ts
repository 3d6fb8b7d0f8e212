// What is run: a prompt or token ids with the edits in force, and the run that it is compared with. Pure.
import { inForce } from "./concept";
import { formatEdit, overContinuation, parseEdit, type Edit, type ListedEdit } from "./edit";

/** A text or token ids, and the edits in force. */
export interface Run {
  prompt?: string;
  ids?: number[];
  interventions: string[];
  /** Through which it is read; the server's own if left out. */
  lens?: string;
}

/** A run for questions that no lens answers: what it says, not how its layers are read. */
export function bare<R extends Run | null>(run: R): R {
  if (run === null) return run;
  const rest = { ...run };
  delete rest.lens;
  return rest;
}

interface Parts {
  prompt: string;
  edits: readonly Edit[];
  /** Ids of the prompt's tokens, and of what was generated after them. */
  promptIds: readonly number[];
  generated: readonly number[];
  lens: string;
}

/** The run of a prompt, with what was generated after it; null while there is nothing to run. */
export function runOf({ prompt, edits, promptIds, generated, lens }: Parts): Run | null {
  if (prompt === "" || (generated.length > 0 && promptIds.length === 0)) return null;
  if (generated.length === 0) return { prompt, interventions: edits.map(formatEdit), lens };
  const ids = [...promptIds, ...generated];
  return { ids, interventions: overContinuation([...edits], promptIds.length, ids.length).map(formatEdit), lens };
}

/** The edits of a list that are in force, groups at their strength. */
export const editsInForce = (edits: readonly ListedEdit[]): Edit[] => inForce(edits);

/** Edits from their texts; what cannot be read is left out. */
export const editsOfTexts = (texts: readonly string[]): Edit[] =>
  texts.flatMap((text) => {
    const found = parseEdit(text);
    return "ok" in found ? [found.ok] : [];
  });

/** The same place in a run of another length: counted from the end, where predictions are compared. */
export const placeIn = (length: number, position: number, other: number): number =>
  length === other ? position : Math.max(0, Math.min(other - 1, other - (length - position)));

/** Whether two runs are the same. */
export const sameRun = (a: Run | null, b: Run | null): boolean => JSON.stringify(a) === JSON.stringify(b);
