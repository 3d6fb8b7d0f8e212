// Draws the part of the map that is in sight on a canvas. Knows geometry and colours, not where the numbers come from.
import type { Cell } from "../../domain/cells";
import type { Row } from "../../domain/fold";

export const ROW = 17;
export const HEAD = 20;
export const LABELS = 52;

export interface Sight {
  width: number;
  height: number;
  left: number;
  top: number;
  /** Width of a column. */
  cell: number;
  rows: readonly Row[];
  positions: number;
}

export interface Inks {
  [name: string]: string;
}

export interface Marks {
  layer: number;
  position: number;
  hover: { layer: number; position: number } | null;
  /** A colour for each followed token. */
  followed: ReadonlyMap<number, number>;
}

export interface Drawn extends Cell {
  text: string;
}

const NAMES = ["panel", "text", "muted", "line", "accent", "raised", "heat", "entropy", "heat-up", "heat-down", "mono"];

/** The colours of the theme in force. */
export function readInks(element: Element): Inks {
  const style = getComputedStyle(element);
  const names = [...NAMES, ...Array.from({ length: 8 }, (_, index) => `follow-${index}`)];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** The cell under a place of the canvas; of a folded row its last layer. */
export function cellAt(sight: Sight, x: number, y: number): { row: Row; position: number } | null {
  if (x < LABELS || y < HEAD) return null;
  const position = Math.floor((x - LABELS + sight.left) / sight.cell);
  const row = sight.rows[Math.floor((y - HEAD + sight.top) / ROW)];
  return position < sight.positions && row !== undefined ? { row, position } : null;
}

/** The folded row whose label is at a place of the canvas. */
export function labelAt(sight: Sight, x: number, y: number): Row | null {
  if (x >= LABELS || y < HEAD) return null;
  return sight.rows[Math.floor((y - HEAD + sight.top) / ROW)] ?? null;
}

export function paint(
  context: CanvasRenderingContext2D,
  sight: Sight,
  inks: Inks,
  marks: Marks,
  cell: (row: Row, position: number) => Drawn | null,
  header: (position: number) => string,
): void {
  const { width, height, left, top, rows } = sight;
  const firstColumn = Math.max(0, Math.floor(left / sight.cell));
  const lastColumn = Math.min(sight.positions - 1, Math.ceil((left + width - LABELS) / sight.cell));
  const firstRow = Math.max(0, Math.floor(top / ROW));
  const lastRow = Math.min(rows.length - 1, Math.ceil((top + height - HEAD) / ROW));
  const x = (position: number) => LABELS + position * sight.cell - left;
  const y = (row: number) => HEAD + row * ROW - top;

  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  context.font = `11px ${inks.mono}`;
  context.textAlign = "left";
  for (let index = firstRow; index <= lastRow; index++) {
    const row = rows[index];
    if (row === undefined) continue;
    const folded = row.first < row.last;
    for (let position = firstColumn; position <= lastColumn; position++) {
      const found = cell(row, position);
      if (found === null) drawUnknown(context, inks, x(position), y(index), sight.cell);
      else drawCell(context, inks, marks, found, x(position), y(index), sight.cell, folded);
    }
    if (folded) {
      context.fillStyle = inks.line ?? "";
      context.fillRect(LABELS, y(index) + ROW - 1, width, 1);
      context.fillRect(LABELS, y(index), width, 1);
    }
  }
  drawMarks(context, inks, marks, sight, x, y);

  // Header and labels stay in sight: they are drawn over the cells.
  context.fillStyle = inks.panel ?? "";
  context.fillRect(0, 0, width, HEAD);
  context.fillRect(0, 0, LABELS - 2, height);
  context.textAlign = "left";
  for (let position = firstColumn; position <= lastColumn; position++) {
    if (x(position) < LABELS - 2) continue;
    context.fillStyle = (position === marks.position ? inks.accent : inks.muted) ?? "";
    clipped(context, header(position), x(position) + 4, HEAD / 2, sight.cell - 6);
  }
  context.textAlign = "right";
  for (let index = firstRow; index <= lastRow; index++) {
    const row = rows[index];
    if (row === undefined || y(index) < HEAD - ROW / 2) continue;
    context.fillStyle = (row.first <= marks.layer && row.last >= marks.layer ? inks.accent : inks.muted) ?? "";
    const label = row.first < row.last ? `▸${row.first}–${row.last}` : String(row.last);
    context.fillText(label, LABELS - 6, y(index) + ROW / 2);
  }
  context.fillStyle = inks.panel ?? "";
  context.fillRect(0, 0, LABELS - 2, HEAD);
}

function drawUnknown(context: CanvasRenderingContext2D, inks: Inks, x: number, y: number, width: number): void {
  context.fillStyle = inks.line ?? "";
  context.fillRect(x + 4, y + ROW / 2 - 1, Math.min(14, width - 8), 2);
}

function drawCell(
  context: CanvasRenderingContext2D,
  inks: Inks,
  marks: Marks,
  cell: Drawn,
  x: number,
  y: number,
  width: number,
  folded: boolean,
): void {
  const strength = folded ? 0 : Math.abs(cell.strength);
  if (cell.hue === "token" && strength > 0) {
    context.globalAlpha = 0.3;
    context.fillStyle = inks[`follow-${marks.followed.get(cell.id) ?? 0}`] ?? "";
    context.fillRect(x + 0.5, y + 0.5, width - 1, ROW - 1);
    context.globalAlpha = 1;
  } else if (strength > 0.006) {
    const hue = cell.hue === "change" ? (cell.strength > 0 ? "heat-up" : "heat-down") : cell.hue;
    context.fillStyle = `rgb(${inks[hue]} / ${strength * 0.62})`;
    context.fillRect(x + 0.5, y + 0.5, width - 1, ROW - 1);
  }
  if (cell.changed) {
    context.fillStyle = inks.text ?? "";
    context.fillRect(x + 0.5, y + ROW - 2, width - 1, 1.5);
  }
  context.fillStyle = (folded ? inks.muted : inks.text) ?? "";
  clipped(context, cell.text, x + 4, y + ROW / 2 + 0.5, width - 6);
}

function drawMarks(
  context: CanvasRenderingContext2D,
  inks: Inks,
  marks: Marks,
  sight: Sight,
  x: (position: number) => number,
  y: (row: number) => number,
): void {
  const at = (layer: number) => sight.rows.findIndex(({ first, last }) => layer >= first && layer <= last);
  context.lineWidth = 1;
  context.strokeStyle = inks.accent ?? "";
  if (marks.position >= 0 && marks.position < sight.positions) {
    context.globalAlpha = 0.55;
    context.strokeRect(x(marks.position) + 0.5, HEAD - sight.top, sight.cell - 1, sight.rows.length * ROW);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeRect(x(marks.position) + 1, y(at(marks.layer)) + 1, sight.cell - 2, ROW - 2);
  }
  if (marks.hover !== null) {
    context.lineWidth = 1;
    context.strokeStyle = inks.text ?? "";
    context.strokeRect(x(marks.hover.position) + 0.5, y(at(marks.hover.layer)) + 0.5, sight.cell - 1, ROW - 1);
  }
}

/** A monospaced text cut to a width; measuring each of thousands of cells would be slow. */
function clipped(context: CanvasRenderingContext2D, text: string, x: number, y: number, width: number): void {
  const most = Math.max(1, Math.floor(width / 6.62));
  const letters = [...text];
  context.fillText(letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text, x, y);
}
