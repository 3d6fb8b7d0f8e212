// The runs laid flat along the time: each has a column, a branch opens a lane. Pure.
import type { RunNode } from "./tree";

export interface Placed {
  node: RunNode;
  column: number;
  lane: number;
  /** Where it came from, as a column and a lane; null for a beginning. */
  from: { column: number; lane: number } | null;
}

/** All runs in the order of time. A run's first child goes on in its lane; every other opens the next free one. */
export function timelineOf(roots: readonly RunNode[]): Placed[] {
  const all: { node: RunNode; parent: RunNode | null }[] = [];
  const walk = (node: RunNode, parent: RunNode | null) => {
    all.push({ node, parent });
    for (const child of node.children) walk(child, node);
  };
  for (const root of roots) walk(root, null);
  // A run never comes before the one that it came from, whatever the clocks say.
  const order = new Map<RunNode, number>();
  const depth = new Map<RunNode | null, number>([[null, 0]]);
  for (const { node, parent } of all) {
    order.set(node, Math.max(node.time, parent === null ? 0 : (order.get(parent) ?? 0)));
    depth.set(node, (depth.get(parent) ?? 0) + 1);
  }
  all.sort(
    (a, b) =>
      (order.get(a.node) ?? 0) - (order.get(b.node) ?? 0) || (depth.get(a.node) ?? 0) - (depth.get(b.node) ?? 0),
  );
  const columns = new Map(all.map(({ node }, column) => [node, column]));

  /** The last column of a chain of first children. */
  const endOf = (node: RunNode): number => {
    let last = node;
    for (let next = firstOf(last); next !== undefined; next = firstOf(next)) last = next;
    return columns.get(last) ?? 0;
  };
  const firstOf = (node: RunNode): RunNode | undefined =>
    node.children.reduce<RunNode | undefined>(
      (best, child) => (best === undefined || (columns.get(child) ?? 0) < (columns.get(best) ?? 0) ? child : best),
      undefined,
    );

  const lanes = new Map<RunNode, number>();
  /** Of each lane, the column up to which it is taken. */
  const taken: number[] = [];
  return all.map(({ node, parent }, column) => {
    const goesOn = parent !== null && firstOf(parent) === node;
    let lane = goesOn ? (lanes.get(parent) ?? 0) : 0;
    if (!goesOn) {
      const after = parent === null ? -1 : (lanes.get(parent) ?? 0);
      lane = after + 1;
      while ((taken[lane] ?? -1) >= (parent === null ? column : (columns.get(parent) ?? 0))) lane++;
      taken[lane] = endOf(node);
    }
    lanes.set(node, lane);
    const from = parent === null ? null : { column: columns.get(parent) ?? 0, lane: lanes.get(parent) ?? 0 };
    return { node, column, lane, from };
  });
}
