// @vitest-environment jsdom
import "../test-setup";
import { render, screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { change, percent } from "../domain/numbers";
import { PROBABILITY } from "../domain/scale";
import { ComparisonTable, type ComparedRow } from "./ComparisonTable";

const ROWS: ComparedRow[] = [
  { key: 1, head: "nurse", a: 0.0374, b: 0.0375 },
  { key: 2, head: "teacher", a: null, b: 0.02 },
];

const table = (compared: boolean) =>
  render(
    <ComparisonTable
      label="Next tokens"
      head="token"
      value="probability"
      rows={ROWS}
      compared={compared}
      show="difference"
      scale={PROBABILITY}
      write={percent}
      writeBoth={change}
      floor={5e-5}
    />,
  );

it("sets A beside B with a difference that the numbers shown agree with", () => {
  table(true);
  const [, nurse, teacher] = screen.getAllByRole("row");
  const cells = (row: HTMLElement | undefined) =>
    within(row as HTMLElement)
      .getAllByRole("cell")
      .map((cell) => cell.textContent);
  expect(cells(nurse)).toEqual(["nurse", "3.74%", "3.75%", "+0.01"]);
  expect(cells(teacher)).toEqual(["teacher", "–", "2.0%", ""]);
  expect(screen.getAllByRole("columnheader").map(({ textContent }) => textContent)).toEqual(["token", "A", "B", "Δ"]);
});

it("has one column where there is nothing to compare", () => {
  table(false);
  expect(screen.getAllByRole("columnheader").map(({ textContent }) => textContent)).toEqual(["token", "probability"]);
});
