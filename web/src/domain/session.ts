// A debugging session as the page shows it: its path, its tree laid flat, why it stopped, in words. Pure.
import type { SessionNode, SessionView } from "../api/types";
import { percent, short } from "./numbers";
import { visible } from "./visible";

/** The positions from the prompt to where the session is. */
export function pathOf({ nodes, at }: Pick<SessionView, "nodes" | "at">): SessionNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found: SessionNode[] = [];
  for (let node = byId.get(at); node !== undefined; node = node.parent === null ? undefined : byId.get(node.parent)) {
    found.unshift(node);
  }
  return found;
}

/** How many tokens a session has chosen on the way from the prompt to where it is. */
export const tokensSince = ({ run_ids, prompt }: Pick<SessionView, "run_ids" | "prompt">): number =>
  run_ids.length - prompt.length;

export interface PlacedNode {
  node: SessionNode;
  column: number;
  lane: number;
  /** The lane of the position before; null for the prompt. */
  from: number | null;
}

/** The tree laid flat: tokens across, each branch in a lane of its own below those before it. */
export function layout(nodes: readonly SessionNode[]): PlacedNode[] {
  const children = new Map<string | null, SessionNode[]>();
  for (const node of nodes) children.set(node.parent, [...(children.get(node.parent) ?? []), node]);
  const placed: PlacedNode[] = [];
  let lanes = 0;
  const walk = (start: SessionNode, column: number, lane: number, from: number | null) => {
    const branches: [SessionNode, number][] = [];
    let before = from;
    for (let node: SessionNode | undefined = start; node !== undefined; column++) {
      placed.push({ node, column, lane, from: before });
      before = lane;
      const [first, ...others]: SessionNode[] = children.get(node.id) ?? [];
      for (const other of others) branches.push([other, column + 1]);
      node = first;
    }
    // The last to part is the nearest.
    for (const [branch, at] of branches.reverse()) walk(branch, at, ++lanes, lane);
  };
  for (const root of children.get(null) ?? []) walk(root, 0, lanes, null);
  return placed;
}

const VERBS: Record<SessionView["stop"]["kind"], string> = {
  start: "Before the first token",
  step: "Stepped",
  breakpoint: "Breakpoint",
  token: "The token was reached",
  layer: "The layer was reached",
  end: "The text has ended",
  limit: "The most tokens are there",
  cancelled: "Paused",
  moved: "Gone back",
  edited: "Edited",
};

/** Why a session is where it is. */
export function stopSaid({ kind, breakpoint, expression, because }: SessionView["stop"]): string {
  if (kind !== "breakpoint") return VERBS[kind];
  const parts = because.map(({ expression: part, value }) => `${part} = ${valueSaid(value)}`);
  return `Breakpoint ${breakpoint}: ${expression}${parts.length > 0 ? ` (${parts.join(", ")})` : ""}`;
}

/** A watch's value; probabilities are numbers like others. */
export function valueSaid(value: boolean | number | string | null): string {
  if (value === null) return "–";
  if (typeof value === "number") return short(value);
  if (typeof value === "string") return visible(value);
  return value ? "true" : "false";
}

/** A watch of a probability alone is written as one. */
export const watchSaid = (expression: string, value: boolean | number | string | null): string =>
  typeof value === "number" && /^p\([^)]*\)$/.test(expression) ? percent(value) : valueSaid(value);
