import { expect, it } from "vitest";
import { layerAt } from "./layer";

it("is the last layer where none is chosen, or one that the model does not have", () => {
  expect([null, 0, 12, 29, 77].map((chosen) => layerAt(chosen, 30))).toEqual([29, 0, 12, 29, 29]);
  expect([null, 77].map((chosen) => layerAt(chosen, 0))).toEqual([-1, 77]);
});
