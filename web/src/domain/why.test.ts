import { expect, it } from "vitest";
import { sourcesSaid } from "./why";

it("says what a head brought from which tokens, the largest first, without those that brought nothing", () => {
  const tokens = [" a", " b", " c"].map((text, position) => ({ position, text }));
  const sources = [0.5, -3, 0.01].map((effect, position) => ({ position, effect }));
  expect(sourcesSaid(sources, tokens)).toBe("·b 1 −3.00, ·a 0 +0.50");
  expect(sourcesSaid([{ position: 7, effect: 1 }], tokens)).toBe("7 +1.00");
});
