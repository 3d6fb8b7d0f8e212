import { expect, it } from "vitest";
import type { SessionNode } from "../api/types";
import { layout, pathOf, stopSaid, watchSaid } from "./session";

const node = (id: string, parent: string | null): SessionNode => ({
  ...{ id, parent, position: 0, token: null, logprob: null, forced: false, interventions: [] },
  ...{ finished: false, name: "" },
});
// The prompt, two tokens, and two other ways to go on: from the prompt, and from the first token.
const NODES = [node("p", null), node("a", "p"), node("b", "a"), node("x", "p"), node("c", "a"), node("y", "x")];

it("knows the way from the prompt to where it is", () => {
  expect(pathOf({ nodes: NODES, at: "y" }).map(({ id }) => id)).toEqual(["p", "x", "y"]);
});

it("lays the tree flat: tokens across, each branch in a lane of its own", () => {
  const at = new Map(layout(NODES).map(({ node: { id }, column, lane, from }) => [id, [column, lane, from]]));
  expect(Object.fromEntries(at)).toEqual({
    ...{ p: [0, 0, null], a: [1, 0, 0], b: [2, 0, 0] },
    ...{ c: [2, 1, 0], x: [1, 2, 0], y: [2, 2, 2] },
  });
});

it("says why it stopped", () => {
  const because = [{ expression: 'p(" she")', value: 0.25 }];
  expect(stopSaid({ kind: "breakpoint", breakpoint: 2, expression: 'p(" she") > 0.1', because })).toBe(
    'Breakpoint 2: p(" she") > 0.1 (p(" she") = 0.25)',
  );
  expect(stopSaid({ kind: "end", breakpoint: null, expression: "", because: [] })).toBe("The text has ended");
  expect(watchSaid('p(" she")', 0.25)).toBe("25%");
  expect(watchSaid("top()", " she")).toBe("·she");
});
