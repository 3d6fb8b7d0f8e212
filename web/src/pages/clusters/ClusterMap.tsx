// The map of clusters on a canvas: drag to move, wheel or + and − to enlarge, a click opens a cluster.
import { Maximize, Minus, Plus } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { ClusterBrief } from "../../api/types";
import { IconButton } from "../../ui/controls";
import { useSize } from "../../ui/hooks";
import { useTheme } from "../../ui/theme";
import { short, thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { layerColour, type Layers, paintMap, readInks, shownName } from "./mapPaint";
import { clusterAt, panned, showing, WHOLE, zoomed, type Point, type Sight } from "./mapSight";
import css from "./clusters.module.css";

interface Props {
  clusters: readonly ClusterBrief[];
  layers: Layers;
  matches: (cluster: ClusterBrief) => boolean;
  chosen: number | null;
  /** The cluster that is pointed at, here or in the list. */
  pointed: number | null;
  onPoint: (id: number | null) => void;
  onOpen: (id: number) => void;
}

const STEP = 1.5;
const STRIDE = 60;
const STILL = 4;

export function ClusterMap({ clusters, layers, matches, chosen, pointed, onPoint, onOpen }: Props) {
  const theme = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(box);
  const [sight, setSight] = useState<Sight>(WHOLE);
  const [pointer, setPointer] = useState<Point | null>(null);
  const drag = useRef<{ from: Point; last: Point; moved: boolean } | null>(null);
  const most = useMemo(() => Math.max(1, ...clusters.map(({ size }) => size)), [clusters]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || size.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const frame = requestAnimationFrame(() => {
      element.width = Math.round(size.width * ratio);
      element.height = Math.round(size.height * ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      paintMap(context, size, sight, readInks(element), { clusters, most, layers, matches, chosen, pointed });
    });
    return () => cancelAnimationFrame(frame);
  }, [size, sight, theme, clusters, most, layers, matches, chosen, pointed]);

  // What was opened elsewhere comes into sight.
  const shown = chosen === null ? undefined : clusters[chosen];
  const [followed, follow] = useState(chosen);
  if (followed !== chosen && size.width > 0) {
    follow(chosen);
    if (shown !== undefined) setSight(showing(size, sight, shown));
  }

  // The page must not scroll along; React's own wheel listeners cannot prevent that.
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top, width, height } = element.getBoundingClientRect();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const factor = Math.exp((-event.deltaY * lines) / 300);
      const around = { x: event.clientX - left, y: event.clientY - top };
      setSight((sight) => zoomed({ width, height }, sight, factor, around));
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, []);

  const middle = { x: size.width / 2, y: size.height / 2 };
  const enlarge = (factor: number) => setSight((sight) => zoomed(size, sight, factor, middle));
  const keys = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, () => void> = {
      "+": () => enlarge(STEP),
      "=": () => enlarge(STEP),
      "-": () => enlarge(1 / STEP),
      "0": () => setSight(WHOLE),
      ArrowLeft: () => setSight((sight) => panned(size, sight, STRIDE, 0)),
      ArrowRight: () => setSight((sight) => panned(size, sight, -STRIDE, 0)),
      ArrowUp: () => setSight((sight) => panned(size, sight, 0, STRIDE)),
      ArrowDown: () => setSight((sight) => panned(size, sight, 0, -STRIDE)),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  };
  const place = (event: { clientX: number; clientY: number; currentTarget: Element }): Point => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const under = pointer === null || pointed === null ? undefined : clusters[pointed];
  return (
    // A map has no role of its own that takes keys.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={box}
      className={css.clusterMap}
      role="group"
      tabIndex={0}
      aria-label="Map: plus and minus enlarge and reduce, arrow keys move, 0 shows all. The list beside it holds the same clusters."
      onKeyDown={keys}
    >
      <canvas
        ref={canvas}
        data-over={under !== undefined}
        style={{ width: size.width, height: size.height }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = place(event);
          drag.current = { from: at, last: at, moved: false };
        }}
        onPointerMove={(event) => {
          const at = place(event);
          const held = drag.current;
          if (held === null) {
            const found = clusterAt(clusters, most, size, sight, at);
            setPointer(at);
            if (found?.id !== pointed) onPoint(found?.id ?? null);
            return;
          }
          if (!held.moved && Math.hypot(at.x - held.from.x, at.y - held.from.y) < STILL) return;
          const { x, y } = held.last;
          drag.current = { ...held, last: at, moved: true };
          setPointer(null);
          setSight((sight) => panned(size, sight, at.x - x, at.y - y));
        }}
        onPointerUp={(event) => {
          const held = drag.current;
          drag.current = null;
          if (held === null || held.moved) return;
          const found = clusterAt(clusters, most, size, sight, place(event));
          if (found !== null) onOpen(found.id);
        }}
        onPointerCancel={() => (drag.current = null)}
        onPointerLeave={() => {
          setPointer(null);
          onPoint(null);
        }}
        onDoubleClick={(event) => setSight(zoomed(size, sight, STEP * STEP, place(event)))}
      />
      <div className={css.mapTools}>
        <IconButton label="Enlarge" hint="+" className="small" onClick={() => enlarge(STEP)}>
          <Plus aria-hidden />
        </IconButton>
        <IconButton label="Reduce" hint="−" className="small" onClick={() => enlarge(1 / STEP)}>
          <Minus aria-hidden />
        </IconButton>
        <IconButton label="Show all" hint="0" className="small" onClick={() => setSight(WHOLE)}>
          <Maximize aria-hidden />
        </IconButton>
      </div>
      <Legend layers={layers} dark={theme === "dark"} />
      {pointer !== null && under !== undefined && <Pointed cluster={under} at={pointer} width={size.width} />}
    </div>
  );
}

function Legend({ layers, dark }: { layers: Layers; dark: boolean }) {
  const [low, high] = layers;
  const colours = [0, 0.25, 0.5, 0.75, 1].map((part) => layerColour(low + part * (high - low), layers, dark));
  return (
    <p className={css.mapLegend}>
      mean layer {low} <i style={{ background: `linear-gradient(90deg, ${colours.join(", ")})` }} /> {high}
      <span className="hidden">, the mean of the members, is a dot’s colour; its area is their number</span>
    </p>
  );
}

const WIDTH = 280;

function Pointed({ cluster, at, width }: { cluster: ClusterBrief; at: Point; width: number }) {
  const left = at.x + 16 + WIDTH > width ? Math.max(0, at.x - 16 - WIDTH) : at.x + 16;
  return (
    <div className={css.mapPointed} style={{ left, top: at.y + 14, width: WIDTH }}>
      <strong>{shownName(cluster.name)}</strong>
      <span className="muted">
        {thousands(cluster.size)} vectors · cohesion {short(cluster.cohesion)} · layer {short(cluster.layer)}
      </span>
      <span className={css.mapTokens}>
        {cluster.promotes.map((text, index) => (
          <TokenText key={index} text={text} />
        ))}
      </span>
    </div>
  );
}
