// The logit lens over layers and positions, on a canvas the size of the window in sight. A click chooses the cell.
import { useEffect, useMemo, useRef, useState } from "react";
import type { LensGrid as Grid } from "../../api/types";
import { useSize, useTheme } from "../../ui/hooks";
import { Empty, ErrorNote } from "../../ui/notes";
import { visible } from "../../domain/visible";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";
import { cellOf, comparable, differenceOf, textAt } from "../../domain/cells";
import { CellDetails } from "./CellDetails";
import { cellAt, HEAD, LABELS, paint, readInks, ROW, type Sight } from "./paint";
import "./grid.css";

const NARROW = 46;
const WIDE = 120;

export function LensGrid() {
  const { grid, baseGrid, compare } = useCurrentSession();
  const shown = compare === "base" ? (baseGrid.data ?? grid.data) : grid.data;
  const failure = grid.error ?? baseGrid.error;
  if (failure !== null) return <ErrorNote failure={failure} onRetry={() => void grid.refetch()} />;
  if (shown === undefined) return <Empty title="Reading the lens at every layer and token…" />;
  const base = compare === "difference" && comparable(shown, baseGrid.data) ? baseGrid.data : null;
  return <GridCanvas grid={shown} base={base} other={comparable(grid.data, baseGrid.data) ? baseGrid.data : null} />;
}

function GridCanvas({ grid, base, other }: { grid: Grid; base: Grid | null; other: Grid | null }) {
  const { view, position, compare } = useCurrentSession();
  const theme = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(box);
  const [scroll, setScroll] = useState({ left: 0, top: 0 });
  const [hover, setHover] = useState<{ layer: number; position: number; x: number; y: number } | null>(null);
  const [fonts, setFonts] = useState(false);
  useEffect(() => void document.fonts.load("11px JetBrains Mono").then(() => setFonts(true)), []);

  const layers = grid.layers.length;
  const positions = grid.positions.length;
  const cell = Math.min(WIDE, Math.max(NARROW, Math.floor((size.width - LABELS) / Math.max(positions, 1))));
  const sight: Sight = useMemo(
    () => ({ width: size.width, height: size.height, ...scroll, cell, layers, positions }),
    [size, scroll, cell, layers, positions],
  );
  const headers = useMemo(() => grid.tokens.map(({ text }) => visible(text)), [grid]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || size.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(size.width * ratio);
    element.height = Math.round(size.height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const read = (layer: number, place: number) => {
      const found =
        base === null ? cellOf(grid, layer, place, view.colour) : differenceOf(base, grid, layer, place, view.colour);
      return { ...found, text: visible(found.text) };
    };
    const frame = requestAnimationFrame(() =>
      paint(
        context,
        sight,
        readInks(element),
        { layer: view.layer, position, hover },
        read,
        (place) => headers[place] ?? "",
      ),
    );
    return () => cancelAnimationFrame(frame);
  }, [sight, size, grid, base, view.colour, view.layer, position, hover, headers, theme, fonts]);

  // Keep the chosen cell in sight.
  useEffect(() => {
    const element = box.current;
    if (element === null || view.layer === null) return;
    const y = view.layer * ROW;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + ROW + HEAD > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + ROW + HEAD - element.clientHeight;
    }
  }, [view.layer]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const x = position * cell;
    if (x < element.scrollLeft) element.scrollLeft = x;
    else if (x + cell + LABELS > element.scrollLeft + element.clientWidth) {
      element.scrollLeft = x + cell + LABELS - element.clientWidth;
    }
  }, [position, cell]);

  const find = (event: React.MouseEvent) => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return cellAt(sight, event.clientX - bounds.left, event.clientY - bounds.top);
  };
  const layer = view.layer ?? layers - 1;
  const said = `Layer ${layer}, position ${position}: ${visible(textAt(grid, layer, position))}`;
  return (
    <div className="grid-box">
      <div
        ref={box}
        className="grid-scroll"
        tabIndex={0}
        role="group"
        aria-label="Lens grid: arrow keys move through layers and positions"
        onScroll={(event) => setScroll({ left: event.currentTarget.scrollLeft, top: event.currentTarget.scrollTop })}
      >
        <div style={{ width: LABELS + positions * cell, height: HEAD + layers * ROW }}>
          <canvas
            ref={canvas}
            className="grid-canvas"
            role="img"
            aria-label={`The most probable token after each of ${layers} layers at each of ${positions} positions. ${said}`}
            style={{ width: size.width, height: size.height }}
            onMouseMove={(event) => {
              const found = find(event);
              setHover(found === null ? null : { ...found, x: event.clientX, y: event.clientY });
            }}
            onMouseLeave={() => setHover(null)}
            onClick={(event) => {
              const found = find(event);
              if (found !== null) setView({ layer: found.layer, position: found.position });
            }}
          />
        </div>
      </div>
      <p className="hidden" aria-live="polite">
        {said}
      </p>
      {hover !== null && <CellDetails grid={grid} other={compare === "base" ? null : other} cell={hover} />}
    </div>
  );
}
