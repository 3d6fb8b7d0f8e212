import { expect, it } from "vitest";
import { rowOf, rowsOf, type Row } from "./fold";

const none = new Set<number>();
const said = (rows: readonly Row[]) => rows.map(({ last, first }) => (last === first ? `${last}` : `${first}-${last}`));

it("shows the last layers first and folds those where nothing changes", () => {
  const quiet = (layer: number) => layer < 5 || layer === 7;
  const rows = rowsOf(10, quiet, none, none);
  expect(said(rows)).toEqual(["9", "8", "7", "6", "5", "0-4"]);
  expect(rowOf(rows, 2)).toBe(5);
  expect(rowOf(rows, 9)).toBe(0);
});

it("keeps the selected layer, and what was opened, by themselves", () => {
  const quiet = (layer: number) => layer < 6;
  expect(said(rowsOf(8, quiet, new Set([3]), none))).toEqual(["7", "6", "4-5", "3", "0-2"]);
  expect(said(rowsOf(4, () => true, none, new Set([0])))).toEqual(["3", "2", "1", "0"]);
  expect(said(rowsOf(3, () => true, none, none))).toEqual(["0-2"]);
});
