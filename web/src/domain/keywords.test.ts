import { expect, it } from "vitest";
import { exactly, hintsFor } from "./keywords";

it.each([
  [" teacher", '" teacher"'],
  [", ", '", "'],
  ['a "b" \\', '"a \\"b\\" \\\\"'],
  ["\n\t", '"\\n\\t"'],
])("writes the keyword for exactly %j as %s", (text, keyword) => {
  expect(exactly(text)).toBe(keyword);
});

it("knows a unit's name, a word with a minus, and a pattern whose case may be in the way", () => {
  expect(hintsFor(" l27d432 ", false)).toEqual([{ kind: "unit", unit: "L27D432" }]);
  expect(hintsFor("L12H3", false)).toEqual([{ kind: "unit", unit: "L12H3" }]);
  expect(hintsFor("wonderful -bad, nice -ugly", false)).toEqual([
    { kind: "unwanted", q: "wonderful, nice", unwanted: "bad, ugly" },
  ]);
  expect(hintsFor("/^ Zebra$/, dog", true)).toEqual([{ kind: "anyCase", q: "/^ Zebra$/i, dog" }]);
});

it("is silent where a search is what it looks like", () => {
  expect(hintsFor("/^ Zebra$/", false)).toEqual([]);
  expect(hintsFor("/^ Zebra$/i", true)).toEqual([]);
  expect(hintsFor('"well -known", self-made', false)).toEqual([]);
});
