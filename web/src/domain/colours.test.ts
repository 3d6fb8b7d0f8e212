import { expect, it } from "vitest";
import { coloursOf } from "./colours";

it("keeps a token's colour whatever its rank becomes", () => {
  const known = new Map<number, number>();
  const before = coloursOf([9, 17, 4], known);
  const after = coloursOf([17, 4, 9], known);
  expect(after).toEqual(before);
  expect(coloursOf([17, 25], known).get(17)).toBe(before.get(17));
});

it("gives no two of the tokens shown the same colour", () => {
  const known = new Map<number, number>();
  coloursOf([1], known);
  coloursOf([9], known);
  const both = coloursOf([1, 9, 17, 25, 33, 41, 49, 57], known);
  expect(new Set(both.values()).size).toBe(8);
});
