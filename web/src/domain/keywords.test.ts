import { expect, it } from "vitest";
import { exactly } from "./keywords";

it.each([
  [" teacher", '" teacher"'],
  [", ", '", "'],
  ['a "b" \\', '"a \\"b\\" \\\\"'],
  ["\n\t", '"\\n\\t"'],
])("writes the keyword for exactly %j as %s", (text, keyword) => {
  expect(exactly(text)).toBe(keyword);
});
