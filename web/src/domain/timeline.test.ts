import { expect, it } from "vitest";
import { timelineOf } from "./timeline";
import type { RunNode } from "./tree";

const node = (key: string, time: number, ...children: RunNode[]): RunNode => ({
  ...{ key, time, children, prompt: key, interventions: [], title: "", view: "", best: null },
  ...{ saved: null, past: null, savedAncestor: null, changes: null },
});

const said = (...roots: RunNode[]) =>
  timelineOf(roots).map(({ node: { key }, column, lane, from }) => [key, column, lane, from?.column ?? null]);

it("lies along the time, the first child in its parent's lane, a branch in a lane of its own", () => {
  const tree = node("a", 1, node("b", 2, node("d", 4)), node("c", 3));
  expect(said(tree)).toEqual([
    ["a", 0, 0, null],
    ["b", 1, 0, 0],
    ["c", 2, 1, 0],
    ["d", 3, 0, 1],
  ]);
});

it("gives a beginning the first lane that is free by then, and survives clocks that disagree", () => {
  expect(said(node("x", 5), node("a", 1, node("b", 2))).map(([key, , lane]) => [key, lane])).toEqual([
    ["a", 0],
    ["b", 0],
    ["x", 0],
  ]);
  expect(said(node("late", 9, node("early", 1))).map(([key]) => key)).toEqual(["late", "early"]);
});
