import { describe, expect, it } from "vitest";
import { describeChange, rankChange, tokenDifferences, valueDifferences } from "./rank";

const token = (id: number, probability: number) => ({ id, text: `t${id}`, logit: 0, probability });
const update = (value: string, coefficient: number, norm = 1) => ({
  value,
  coefficient,
  norm,
  score: Math.abs(coefficient) * norm,
  share: 0,
  name: null,
  promotes: [],
});

describe("rank change", () => {
  const before = [token(1, 0.5), token(2, 0.3), token(3, 0.2)];

  it("counts places gained as positive", () => {
    expect(rankChange(3, 0, before)).toBe(2);
    expect(rankChange(1, 2, before)).toBe(-2);
    expect(rankChange(2, 1, before)).toBe(0);
    expect(rankChange(9, 0, before)).toBe("new");
  });

  it("is said in words", () => {
    expect(describeChange(2, 10)).toBe("up 2 places");
    expect(describeChange(-1, 10)).toBe("down 1 place");
    expect(describeChange("new", 10)).toBe("not among the top 10 before");
  });
});

describe("differences", () => {
  it("list the tokens of both runs, the largest change first", () => {
    const found = tokenDifferences([token(1, 0.5), token(2, 0.3)], [token(1, 0.45), token(3, 0.4)]);
    expect(found.map(({ id }) => id)).toEqual([3, 1, 2]);
    expect(found[0]?.difference).toBeCloseTo(0.1);
    expect(found[1]?.difference).toBeCloseTo(-0.05);
    expect(found[2]).toMatchObject({ base: 0.3, edited: null, difference: 0 });
  });

  it("list the sub-updates of both runs by how much of the vector changed", () => {
    const found = valueDifferences(
      [update("a", 1), update("b", 5)],
      [update("a", -1, 3), update("c", 2), update("b", 5)],
    );
    expect(found.map(({ value }) => value)).toEqual(["a", "c", "b"]);
    expect(found[2]?.size).toBe(0);
  });
});
