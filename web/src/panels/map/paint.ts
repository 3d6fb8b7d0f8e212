// Draws the part of the map that is in sight on a canvas. Knows geometry and colours, not where the numbers come from.
import type { Cell } from "../../domain/cells";
import type { Row } from "../../domain/fold";
import { STRONGEST } from "../../domain/scale";

export const HEAD = 20;
export const LABELS = 52;
/** Heights of a row: what is always readable, and the most that a tall screen gives it. */
const [LOW, TALL] = [17, 26];
/** In a high row the text is a size larger. */
const textSize = (row: number): number => (row < 22 ? 11 : 12);
/** Width of a letter of the monospaced font, of its size: measuring the texts of thousands of cells would be slow. */
const LETTER = 0.602;

/** The height of a row where so many layers are to be seen at once, if they can be. */
export const rowHeight = (height: number, layers: number): number =>
  Math.min(TALL, Math.max(LOW, Math.floor((height - HEAD) / Math.max(layers, 1))));

export interface Sight {
  width: number;
  height: number;
  left: number;
  top: number;
  /** Width of a column, height of a row. */
  cell: number;
  row: number;
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
  const row = sight.rows[Math.floor((y - HEAD + sight.top) / sight.row)];
  return position < sight.positions && row !== undefined ? { row, position } : null;
}

/** The folded row whose label is at a place of the canvas. */
export function labelAt(sight: Sight, x: number, y: number): Row | null {
  if (x >= LABELS || y < HEAD) return null;
  return sight.rows[Math.floor((y - HEAD + sight.top) / sight.row)] ?? null;
}

export function paint(
  context: CanvasRenderingContext2D,
  sight: Sight,
  inks: Inks,
  marks: Marks,
  cell: (row: Row, position: number) => Drawn | null,
  header: (position: number) => string,
): void {
  const { width, height, left, top, rows, row: high } = sight;
  const firstColumn = Math.max(0, Math.floor(left / sight.cell));
  const lastColumn = Math.min(sight.positions - 1, Math.ceil((left + width - LABELS) / sight.cell));
  const firstRow = Math.max(0, Math.floor(top / high));
  const lastRow = Math.min(rows.length - 1, Math.ceil((top + height - HEAD) / high));
  const x = (position: number) => LABELS + position * sight.cell - left;
  const y = (row: number) => HEAD + row * high - top;

  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  context.font = `${textSize(high)}px ${inks.mono}`;
  // No ligatures: what looks like "◁" is two characters.
  context.textRendering = "optimizeSpeed";
  context.textAlign = "left";
  for (let index = firstRow; index <= lastRow; index++) {
    const row = rows[index];
    if (row === undefined) continue;
    const folded = row.first < row.last;
    for (let position = firstColumn; position <= lastColumn; position++) {
      const found = cell(row, position);
      if (found === null) drawUnknown(context, inks, x(position), y(index), sight);
      else drawCell(context, inks, marks, found, x(position), y(index), sight, folded);
    }
    if (folded) {
      context.fillStyle = inks.line ?? "";
      context.fillRect(LABELS, y(index) + high - 1, width, 1);
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
    clipped(context, header(position), x(position) + 4, HEAD / 2, sight);
  }
  context.textAlign = "right";
  for (let index = firstRow; index <= lastRow; index++) {
    const row = rows[index];
    if (row === undefined || y(index) < HEAD - high / 2) continue;
    context.fillStyle = (row.first <= marks.layer && row.last >= marks.layer ? inks.accent : inks.muted) ?? "";
    const label = row.first < row.last ? `▸${row.first}–${row.last}` : String(row.last);
    context.fillText(label, LABELS - 6, y(index) + high / 2);
  }
  context.fillStyle = inks.panel ?? "";
  context.fillRect(0, 0, LABELS - 2, HEAD);
  context.fillStyle = inks.muted ?? "";
  context.fillText("layer", LABELS - 6, HEAD / 2);
}

function drawUnknown(context: CanvasRenderingContext2D, inks: Inks, x: number, y: number, sight: Sight): void {
  const { cell: width, row: high } = sight;
  context.fillStyle = inks.line ?? "";
  context.fillRect(x + 4, y + high / 2 - 1, Math.min(14, width - 8), 2);
}

function drawCell(
  context: CanvasRenderingContext2D,
  inks: Inks,
  marks: Marks,
  cell: Drawn,
  x: number,
  y: number,
  sight: Sight,
  folded: boolean,
): void {
  const { cell: width, row: high } = sight;
  const strength = folded ? 0 : Math.abs(cell.strength);
  if (cell.hue === "token" && strength > 0) {
    context.globalAlpha = 0.3;
    context.fillStyle = inks[`follow-${marks.followed.get(cell.id) ?? 0}`] ?? "";
    context.fillRect(x + 0.5, y + 0.5, width - 1, high - 1);
    context.globalAlpha = 1;
  } else if (strength > 0.006) {
    const hue = cell.hue === "change" ? (cell.strength > 0 ? "heat-up" : "heat-down") : cell.hue;
    context.fillStyle = `rgb(${inks[hue]} / ${strength * STRONGEST})`;
    context.fillRect(x + 0.5, y + 0.5, width - 1, high - 1);
  }
  if (cell.changed) {
    context.fillStyle = inks.text ?? "";
    context.fillRect(x + 0.5, y + high - 2, width - 1, 1.5);
  }
  context.fillStyle = (folded ? inks.muted : inks.text) ?? "";
  clipped(context, cell.text, x + 4, y + high / 2 + 0.5, sight);
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
    context.strokeRect(x(marks.position) + 0.5, HEAD - sight.top, sight.cell - 1, sight.rows.length * sight.row);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeRect(x(marks.position) + 1, y(at(marks.layer)) + 1, sight.cell - 2, sight.row - 2);
  }
  if (marks.hover !== null) {
    context.lineWidth = 1;
    context.strokeStyle = inks.text ?? "";
    context.strokeRect(x(marks.hover.position) + 0.5, y(at(marks.hover.layer)) + 0.5, sight.cell - 1, sight.row - 1);
  }
}

/** A text cut to the width of a column. */
function clipped(context: CanvasRenderingContext2D, text: string, x: number, y: number, sight: Sight): void {
  const most = Math.max(1, Math.floor((sight.cell - 6) / (LETTER * textSize(sight.row))));
  const letters = [...text];
  context.fillText(letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text, x, y);
}
