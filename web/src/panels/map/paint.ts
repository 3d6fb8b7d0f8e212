// Draws the part of the grid that is in sight on a canvas. Knows geometry and colours, not where the numbers come from.
import type { Cell } from "../../domain/cells";

export const ROW = 17;
export const HEAD = 22;
export const LABELS = 34;

export interface Sight {
  width: number;
  height: number;
  left: number;
  top: number;
  cell: number;
  layers: number;
  positions: number;
}

export interface Inks {
  panel: string;
  text: string;
  muted: string;
  line: string;
  accent: string;
  heat: string;
  entropy: string;
  up: string;
  down: string;
  mono: string;
}

export interface Marks {
  layer: number | null;
  position: number;
  hover: { layer: number; position: number } | null;
}

/** The colours of the theme in force. */
export function readInks(element: Element): Inks {
  const style = getComputedStyle(element);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    panel: get("--panel"),
    text: get("--text"),
    muted: get("--muted"),
    line: get("--line"),
    accent: get("--accent"),
    heat: get("--heat"),
    entropy: get("--entropy"),
    up: get("--heat-up"),
    down: get("--heat-down"),
    mono: get("--mono"),
  };
}

/** The cell under a place of the canvas, or null. */
export function cellAt(sight: Sight, x: number, y: number): { layer: number; position: number } | null {
  if (x < LABELS || y < HEAD) return null;
  const position = Math.floor((x - LABELS + sight.left) / sight.cell);
  const layer = Math.floor((y - HEAD + sight.top) / ROW);
  return position < sight.positions && layer < sight.layers ? { layer, position } : null;
}

export function paint(
  context: CanvasRenderingContext2D,
  sight: Sight,
  inks: Inks,
  marks: Marks,
  cell: (layer: number, position: number) => Cell,
  header: (position: number) => string,
): void {
  const { width, height, left, top } = sight;
  const firstColumn = Math.max(0, Math.floor(left / sight.cell));
  const lastColumn = Math.min(sight.positions - 1, Math.ceil((left + width - LABELS) / sight.cell));
  const firstRow = Math.max(0, Math.floor(top / ROW));
  const lastRow = Math.min(sight.layers - 1, Math.ceil((top + height - HEAD) / ROW));
  const x = (position: number) => LABELS + position * sight.cell - left;
  const y = (layer: number) => HEAD + layer * ROW - top;

  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  context.font = `11px ${inks.mono}`;
  for (let layer = firstRow; layer <= lastRow; layer++) {
    for (let position = firstColumn; position <= lastColumn; position++) {
      drawCell(context, inks, cell(layer, position), x(position), y(layer), sight.cell);
    }
  }
  drawMarks(context, inks, marks, sight, x, y);

  // Header and labels stay in sight: they are drawn over the cells.
  context.fillStyle = inks.panel;
  context.fillRect(0, 0, width, HEAD);
  context.fillRect(0, 0, LABELS - 2, height);
  context.textAlign = "left";
  for (let position = firstColumn; position <= lastColumn; position++) {
    if (x(position) < LABELS - 2) continue;
    context.fillStyle = position === marks.position ? inks.accent : inks.muted;
    clipped(context, header(position), x(position) + 4, HEAD / 2, sight.cell - 6);
  }
  context.textAlign = "right";
  for (let layer = firstRow; layer <= lastRow; layer++) {
    if (y(layer) < HEAD - ROW / 2) continue;
    context.fillStyle = layer === marks.layer ? inks.accent : inks.muted;
    context.fillText(String(layer), LABELS - 8, y(layer) + ROW / 2);
  }
  context.fillStyle = inks.panel;
  context.fillRect(0, 0, LABELS - 2, HEAD);
}

function drawCell(context: CanvasRenderingContext2D, inks: Inks, cell: Cell, x: number, y: number, width: number) {
  const alpha = cell.strength * 0.62;
  if (alpha > 0.004) {
    context.fillStyle = `rgb(${inks[cell.hue]} / ${alpha})`;
    context.fillRect(x + 0.5, y + 0.5, width - 1, ROW - 1);
  }
  if (cell.changed) {
    context.fillStyle = inks.text;
    context.fillRect(x + 0.5, y + ROW - 2, width - 1, 1.5);
  }
  context.fillStyle = inks.text;
  context.textAlign = "left";
  clipped(context, cell.text, x + 4, y + ROW / 2 + 0.5, width - 6);
}

function drawMarks(
  context: CanvasRenderingContext2D,
  inks: Inks,
  marks: Marks,
  sight: Sight,
  x: (position: number) => number,
  y: (layer: number) => number,
): void {
  context.lineWidth = 1;
  context.strokeStyle = inks.accent;
  if (marks.position >= 0 && marks.position < sight.positions) {
    context.globalAlpha = 0.55;
    context.strokeRect(x(marks.position) + 0.5, HEAD - sight.top, sight.cell - 1, sight.layers * ROW);
    context.globalAlpha = 1;
    if (marks.layer !== null) {
      context.lineWidth = 2;
      context.strokeRect(x(marks.position) + 1, y(marks.layer) + 1, sight.cell - 2, ROW - 2);
    }
  }
  if (marks.hover !== null) {
    context.lineWidth = 1;
    context.strokeStyle = inks.text;
    context.strokeRect(x(marks.hover.position) + 0.5, y(marks.hover.layer) + 0.5, sight.cell - 1, ROW - 1);
  }
}

/** A monospaced text cut to a width; measuring each of thousands of cells would be slow. */
function clipped(context: CanvasRenderingContext2D, text: string, x: number, y: number, width: number): void {
  const most = Math.max(1, Math.floor(width / 6.62));
  const letters = [...text];
  context.fillText(letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text, x, y);
}
