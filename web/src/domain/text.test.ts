import { expect, it } from "vitest";
import { percent, points, short, signed } from "./numbers";
import { visible } from "./visible";

it.each([
  [" two", "·two"],
  ["\n\n", "↵↵"],
  ["\t", "⇥"],
  ["<script>", "<script>"],
  ["\u202eabc", "\\u202eabc"],
  ["\u0301", "◌\u0301"],
  ["\x1b[0m", "␛[0m"],
  ["\xa0", "\\xa0"],
  ["é日本", "é日本"],
])("shows %j as %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

it("writes numbers short", () => {
  expect([1, 0.423, 0.0977, 0.00311, 1e-9, 0].map(percent)).toEqual(["100%", "42%", "9.8%", "0.31%", "<0.01%", "0%"]);
  expect([0.0312, -0.2, 0.00001].map(points)).toEqual(["+3.1", "−20", "0"]);
  expect([0, 1.234, -12.34, 123.4, 0.004].map(short)).toEqual(["0", "1.23", "−12.3", "123", "0.004"]);
  expect([3.2, -3.2].map(signed)).toEqual(["+3.20", "−3.20"]);
});
