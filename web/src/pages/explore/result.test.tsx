// @vitest-environment jsdom
import "../../test-setup";
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import type { SearchAnswer, SearchResult } from "../../api/types";
import { ResultRow } from "./ResultRow";

const RESULT: SearchResult = {
  ...{ value: "L2D3", layer: 2, expert: null, name: null, sign: "+", tokens: [], promotes: [" cold"] },
  ...{ score: -0.2, coefficient: 1.5 },
} as unknown as SearchResult;

function row(part: Partial<SearchResult>, measure: SearchAnswer["measure"]) {
  const props = { measure, part: 0.5, sought: new Set<string>(), edited: "", selected: false };
  const { container } = render(<ResultRow result={{ ...RESULT, ...part }} {...props} onSelect={() => undefined} />);
  const sign = screen.getByText("coefficient").parentElement;
  return { bar: container.querySelector("i"), sign };
}

it("a writer's colour tells whether it wrote for or against, and its coefficient's sign has none", () => {
  const against = row({ score: -0.2, sign: "+" }, "share");
  expect(against.bar?.className).toBe("minus");
  expect(against.sign?.textContent).toBe("coefficient +");
  expect(against.sign?.className).toContain("muted");
});

it("of a search colour and sign are the coefficient's, and agree", () => {
  const negative = row({ score: 4, sign: "-" }, "z");
  expect(negative.bar?.className).toBe("minus");
  expect(negative.sign?.className).toContain("minus");
  expect(negative.sign?.textContent).toBe("coefficient −");
});
