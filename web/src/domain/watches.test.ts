import { expect, it } from "vitest";
import { baselineThroughLayers, numbersOf, stretches, throughLayers, throughSteps } from "./watches";

const path = {
  ...{ expression: "top()", kind: "token" as const, value: " c", before: [" a", " b"], values: [" b", " c"] },
  ...{ baseline: " d", baseline_values: [" a", " d"], warnings: [] },
};

it("goes through the layers, before and after each feed-forward", () => {
  const course = throughLayers(path);
  expect(course.x).toEqual([-0.5, 0, 0.5, 1]);
  expect(course.values).toEqual([" a", " b", " b", " c"]);
  expect(stretches(course)).toEqual([
    { first: -0.5, last: -0.5, value: " a" },
    { first: 0, last: 0.5, value: " b" },
    { first: 1, last: 1, value: " c" },
  ]);
});

it("the run without edits has values after the layers only, at the same places", () => {
  const base = baselineThroughLayers(path);
  expect(base?.x).toEqual(throughLayers(path).x);
  expect(base?.values).toEqual([null, " a", null, " d"]);
  expect(base?.end).toBe(" d");
  expect(baselineThroughLayers({ ...path, baseline_values: null })).toBeNull();
});

it("goes along the tokens from the first one", () => {
  const course = throughSteps({ expression: "x", kind: "truth", values: [true, null, false] });
  expect(course.x).toEqual([1, 2, 3]);
  expect(course.end).toBe(false);
  expect(numbersOf(course.values)).toEqual([1, null, 0]);
  expect(throughSteps({ expression: "x", kind: "number", values: [] }).end).toBeNull();
});
