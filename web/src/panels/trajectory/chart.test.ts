import { expect, it } from "vitest";
import { label, marksOf, values } from "./chart";

const path = { id: 1, text: " a", logit: [], rank: [1, 2], probability: [0.5, 1e-12] };

it("does not draw what is below the floor, and says so on the axis", () => {
  expect(values(path, "probability")).toEqual([0.5, null]);
  const marks = marksOf([0.5], true);
  expect(marks[0]).toBe(1e-9);
  expect(label(marks[0] ?? 0, "probability", true)).toBe("< 10⁻⁹");
});

it("writes all probabilities of an axis in one way", () => {
  expect([1, 1e-2, 1e-4, 1e-6].map((mark) => label(mark, "probability", false))).toEqual(["1", "10⁻²", "10⁻⁴", "10⁻⁶"]);
  expect(label(1000, "rank", false)).toBe("1,000");
  expect(marksOf([0.5, 1e-6], false)[0]).toBeLessThanOrEqual(1e-6);
});
