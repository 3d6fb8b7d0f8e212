import { describe, expect, it } from "vitest";
import { cellOf, changeOf, differenceOf, numbersAt, scaleOf, type Numbers } from "./cells";
import type { Column } from "./columns";
import { PROBABILITY_CHANGE } from "./scale";

const numbers = (part: Partial<Numbers>): Numbers => ({
  ...{ id: 1, probability: 0.5, entropy: 2, rank: 10, followed: 0.2 },
  ...part,
});

describe("a difference", () => {
  it("of 1.5 points is seen, one below a hundredth of a point is not", () => {
    expect(PROBABILITY_CHANGE.place(0.015)).toBeGreaterThan(0.4);
    expect(PROBABILITY_CHANGE.place(-0.015)).toBe(-PROBABILITY_CHANGE.place(0.015));
    expect(PROBABILITY_CHANGE.place(0.00009)).toBe(0);
    expect(PROBABILITY_CHANGE.place(1)).toBe(1);
  });

  it("is of the followed token's probability, and marks another top token", () => {
    const cell = differenceOf(numbers({ followed: 0.2 }), numbers({ id: 2, followed: 0.1 }), "probability");
    expect(cell.strength).toBeLessThan(0);
    expect(cell.changed).toBe(true);
    expect(changeOf(numbers({ rank: 100 }), numbers({ rank: 1 }), "rank")).toBe(2);
    expect(changeOf(numbers({ entropy: 3 }), numbers({ entropy: 1 }), "entropy")).toBe(-2);
  });
});

it("colours by token only what is followed", () => {
  expect(cellOf(numbers({ id: 7 }), "token", new Set([7])).strength).toBe(1);
  expect(cellOf(numbers({ id: 8 }), "token", new Set([7])).strength).toBe(0);
});

it("has a legend with a floor for every colour", () => {
  for (const colour of ["probability", "token", "entropy", "rank"] as const) {
    for (const difference of [false, true]) {
      const { marks, place } = scaleOf(colour, difference);
      expect(marks.length).toBeGreaterThan(2);
      expect(marks.map(place)).toEqual([...marks.map(place)].sort((a, b) => a - b));
    }
  }
});

it("reads the layers before an edit from the column without it", () => {
  const plain: Column = {
    from: 0,
    id: [1, 2, 3],
    probability: [0.1, 0.2, 0.3],
    entropy: [0, 0, 0],
    rank: null,
    followed: null,
  };
  const edited: Column = { ...plain, from: 2, id: [9], probability: [0.9], entropy: [1] };
  const lookup = (key: string) => ({ plain, edited })[key];
  const source = { plain: "plain", edited: "edited", from: 2 };
  expect([0, 1, 2].map((layer) => numbersAt(source, lookup, layer)?.id)).toEqual([1, 2, 9]);
  expect(numbersAt({ ...source, edited: "none" }, lookup, 2)).toBeNull();
});
