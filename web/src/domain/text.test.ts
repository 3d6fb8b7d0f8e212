import { expect, it } from "vitest";
import { change, nats, percent, points, scientific, short, signed } from "./numbers";
import { visible } from "./visible";

it.each([
  [" two", "·two"],
  ["\n\n", "↵↵"],
  ["\t", "⇥"],
  ["<script>", "<script>"],
  ["\u202eabc", "\\u202eabc"],
  ["\u0301", "◌\u0301"],
  ["\x1b[0m", "␛[0m"],
  ["\xa0", "⍽"],
  [" ", "␣"],
  ["  ", "··"],
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

it("writes two probabilities so that their difference is the one shown", () => {
  expect(change(0.03749, 0.03751)).toEqual({ a: "3.75%", b: "3.75%", delta: "0" });
  expect(change(0.0374, 0.0375)).toEqual({ a: "3.74%", b: "3.75%", delta: "+0.01" });
  expect(change(0.42344, 0.3925)).toEqual({ a: "42.3%", b: "39.3%", delta: "\u22123.0" });
  expect(change(0, 0.5)).toEqual({ a: "0%", b: "50%", delta: "+50" });
  expect(change(0.00001, 0.5)).toEqual({ a: "<0.01%", b: "50%", delta: "+50" });
});

it("writes small numbers as people do", () => {
  expect([0, 2e-7, 1e-5, -3e-9].map(scientific)).toEqual(["0", "2·10⁻⁷", "10⁻⁵", "\u22123·10⁻⁹"]);
  expect([0, 2e-7, 0.0123].map(nats)).toEqual(["0", "<0.001", "0.01"]);
  expect(short(2e-7)).toBe("2·10⁻⁷");
});
