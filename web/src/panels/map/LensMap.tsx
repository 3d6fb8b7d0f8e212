// The map: layers from the last down, tokens across, on a canvas the size of what is in sight. A click chooses a cell.
import { useEffect, useMemo, useRef, useState } from "react";
import { rowOf, type Row } from "../../domain/fold";
import { visible } from "../../domain/visible";
import { useMap } from "../../run/useMap";
import { useTrace } from "../../run/useTrace";
import { setView } from "../../run/view";
import { useSize } from "../../ui/hooks";
import { Empty, ErrorNote } from "../../ui/notes";
import { useTheme } from "../../ui/theme";
import { CellDetails } from "./CellDetails";
import { cellAt, HEAD, labelAt, LABELS, paint, readInks, rowHeight, type Sight } from "./paint";
import { tellProgress } from "../../run/progress";
import css from "./map.module.css";

const NARROW = 46;
/** The most that a column is wide, of the height of a row. */
const WIDE = 10;
const NONE: ReadonlySet<number> = new Set();

interface Hover {
  layer: number;
  position: number;
  x: number;
  y: number;
}

interface Props {
  length: number;
  /** One of the runs, where both are shown side by side. */
  side?: "base" | "edited";
}

export function LensMap({ length, side }: Props) {
  const theme = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(box);
  const [scroll, setScroll] = useState({ left: 0, top: 0 });
  const [hover, setHover] = useState<Hover | null>(null);
  const [fonts, setFonts] = useState(false);
  const [opened, open] = useState(NONE);
  useEffect(() => void document.fonts.load("11px JetBrains Mono").then(() => setFonts(true)), []);

  const traced = useTrace();
  const high = rowHeight(size.height, traced.data?.model.layers ?? 0);
  const cell = Math.min(WIDE * high, Math.max(NARROW, Math.floor((size.width - LABELS) / Math.max(length, 1))));
  const first = Math.max(0, Math.floor(scroll.left / cell));
  const last = size.width === 0 ? -1 : Math.min(length - 1, Math.ceil((scroll.left + size.width - LABELS) / cell) - 1);
  const map = useMap({ first, last }, opened, side ?? null);
  const { rows, layers, layer, position, tokens, aTokens, show, texts, followed, version } = map;
  const sight: Sight = useMemo(
    () => ({ width: size.width, height: size.height, ...scroll, cell, row: high, rows, positions: length }),
    [size, scroll, cell, high, rows, length],
  );
  const headers = useMemo(
    () => (show === "base" ? aTokens.slice(aTokens.length - length) : tokens).map(({ text }) => visible(text)),
    [show, aTokens, tokens, length],
  );
  const shown = useMemo(() => new Map<number, string>(), []);
  const read = map.cell;

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || size.width === 0) return;
    const frame = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio || 1;
      const [wide, high] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
      if (element.width !== wide) element.width = wide;
      if (element.height !== high) element.height = high;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const textOf = (id: number): string => {
        const known = shown.get(id) ?? visible(texts.get(id) ?? "");
        shown.set(id, known);
        return known;
      };
      const draw = (row: Row, at: number) => {
        const found = read(row.last, at);
        return found && { ...found, text: textOf(found.id) };
      };
      const marks = { layer, position, hover, followed: followed.colours };
      paint(context, sight, readInks(element), marks, draw, (at) => headers[at] ?? "");
    });
    return () => cancelAnimationFrame(frame);
  }, [sight, size, read, version, layer, position, hover, headers, theme, fonts, texts, shown, followed.colours]);

  useEffect(() => tellProgress(map.total - map.missing, map.total), [map.total, map.missing]);

  // Keep the chosen cell in sight: from when there is something to scroll.
  const drawn = layers > 0;
  const place = rowOf(rows, layer);
  useEffect(() => {
    const element = box.current;
    if (element === null || place < 0 || !drawn) return;
    const y = place * high;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + high + HEAD > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + high + HEAD - element.clientHeight;
    }
  }, [place, high, drawn]);
  useEffect(() => {
    const element = box.current;
    if (element === null || size.width === 0 || !drawn) return;
    const x = position * cell;
    if (x < element.scrollLeft) element.scrollLeft = x;
    else if (x + cell + LABELS > element.scrollLeft + element.clientWidth) {
      element.scrollLeft = x + cell + LABELS - element.clientWidth;
    }
  }, [position, cell, size.width, drawn]);

  const at = (event: React.MouseEvent): [number, number] => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  };
  const toggle = (row: Row) => {
    const next = new Set(opened);
    if (!next.delete(row.first)) next.add(row.first);
    open(next);
  };
  const here = map.numbers(show === "base" ? "a" : "b", layer, position);
  const said = `Layer ${layer}, position ${position}: ${here === null ? "not read yet" : visible(texts.get(here.id) ?? "")}`;
  if (map.failure !== null && map.total > 0) {
    return <ErrorNote failure={map.failure} onRetry={() => setScroll({ ...scroll })} />;
  }
  return (
    <div className={css.box} data-stale={map.stale}>
      <div
        ref={box}
        className={css.scroll}
        data-map-scroll
        // A scrolling region must be reachable by keyboard.
        tabIndex={0}
        role="group"
        aria-label="Map: arrow keys move through layers and positions"
        aria-busy={map.missing > 0}
        onScroll={(event) => setScroll({ left: event.currentTarget.scrollLeft, top: event.currentTarget.scrollTop })}
      >
        {layers === 0 && (
          <Empty title={traced.failure !== null || traced.stopped ? "The model did not run" : "Running the model…"} />
        )}
        <div style={{ width: LABELS + length * cell, height: HEAD + rows.length * high }} hidden={layers === 0}>
          <canvas
            ref={canvas}
            className={css.canvas}
            role="img"
            aria-label={`The most probable token after each of ${layers} layers at each of ${length} positions. ${said}`}
            style={{ width: size.width, height: size.height }}
            onMouseMove={(event) => {
              const found = cellAt(sight, ...at(event));
              setHover(
                found === null
                  ? null
                  : { layer: found.row.last, position: found.position, x: event.clientX, y: event.clientY },
              );
            }}
            onMouseLeave={() => setHover(null)}
            onClick={(event) => {
              const found = cellAt(sight, ...at(event));
              const label = labelAt(sight, ...at(event));
              const folded = (found?.row ?? label)?.first !== (found?.row ?? label)?.last;
              const row = found?.row ?? label;
              if (row !== null && row !== undefined && folded) toggle(row);
              else if (found !== null) setView({ layer: found.row.last, position: found.position });
              else if (label !== null) setView({ layer: label.last });
            }}
          />
        </div>
      </div>
      <p className="hidden" aria-live="polite">
        {said}
      </p>
      {hover !== null && <CellDetails map={map} cell={hover} rows={rows} />}
    </div>
  );
}
