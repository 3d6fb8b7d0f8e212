import { expect, it } from "vitest";
import { besides, widthOf } from "./neighbour";

it("steps through the dimensions of a layer, and of an expert", () => {
  expect(besides("L2D5", 1, 8)).toBe("L2D6");
  expect(besides("l2e3d5", -1, null)).toBe("L2E3D4");
});

it("ends where the layer does", () => {
  expect(besides("L2D0", -1, 8)).toBeNull();
  expect(besides("L2D7", 1, 8)).toBeNull();
  expect(besides("L2", 1, 8)).toBeNull();
});

it("knows the width only where every layer has the same", () => {
  expect(widthOf(46_080, 30, null)).toBe(1536);
  expect(widthOf(46_081, 30, null)).toBeNull();
  expect(widthOf(46_080, 30, 0)).toBeNull();
});
