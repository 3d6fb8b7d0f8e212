// @vitest-environment jsdom
import "../../test-setup";
import { render } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { PatchCells } from "./PatchCells";

it("brings in sight the cell that most is said of, else the first that is marked", () => {
  const seen: string[] = [];
  Element.prototype.scrollIntoView = vi.fn(function (this: Element) {
    seen.push(this.textContent ?? "");
  });
  const row = [0, 1, 2, 3];
  const props = { label: "Map", columns: ["a", "b", "c", "d"], write: String, strength: () => 0, onChoose: () => {} };
  const marked = (layer: number, column: number | null) => layer === 0 && column !== null && column > 0;
  const cells = (foremost: number | null) => (
    <PatchCells
      {...props}
      rows={[row, [4, 5, 6, 7]]}
      chosen={{ layer: null, column: null }}
      {...{ marked, foremost }}
    />
  );
  render(cells(2));
  render(cells(null));
  expect(seen).toEqual(["2", "1"]);
});
