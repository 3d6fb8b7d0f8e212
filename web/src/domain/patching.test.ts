import { expect, it } from "vitest";
import { senderMap, strengthOf } from "./patching";

const path = (sender: string, difference: number) => ({ sender, difference, change: 0 });

it("lays the heads that are read out by layer, and leaves those blank that come too late", () => {
  expect(senderMap([path("L1H2", 3), path("L0H0", 1)])).toEqual({
    columns: ["H0", "H1", "H2"],
    rows: [
      [1, null, null],
      [null, null, 3],
    ],
  });
  expect(senderMap([path("L1 ffn", 3), path("L0 ffn", 1)])).toEqual({ columns: ["feed-forward"], rows: [[1], [3]] });
  expect(senderMap([])).toEqual({ columns: [], rows: [] });
});

it("colours by how far a patch goes to the other run, or by the largest change where that is not known", () => {
  const map = { difference: 4, other_difference: -4, cells: [[2]] };
  expect(strengthOf(map, 2)).toBe(0.25);
  expect(strengthOf(map, -10)).toBe(1);
  expect(strengthOf({ ...map, other_difference: null }, 2)).toBe(-1);
  expect(strengthOf(map, null)).toBe(0);
});
