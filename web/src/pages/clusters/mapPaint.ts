// Draws the map of clusters: dots by size and mean layer, names where there is room. Knows no React.
import type { ClusterBrief } from "../../api/types";
import { visible } from "../../domain/visible";
import { radiusOf, toCanvas, type Sight, type Size } from "./mapSight";

export interface Inks {
  panel: string;
  text: string;
  accent: string;
  sans: string;
  dark: boolean;
}

export interface Drawn {
  clusters: readonly ClusterBrief[];
  /** Members of the largest cluster. */
  most: number;
  layers: Layers;
  matches: (cluster: ClusterBrief) => boolean;
  chosen: number | null;
  pointed: number | null;
}

const LABELS = 26;
const LETTERS = 30;
const FIRST_HUE = 262;
const LAST_HUE = 40;

export function readInks(element: Element): Inks {
  const style = getComputedStyle(element);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    panel: get("--panel"),
    text: get("--text"),
    accent: get("--accent"),
    sans: get("--sans"),
    dark: document.documentElement.dataset.theme === "dark",
  };
}

/** The mean layers that the colours span, lowest and highest. */
export type Layers = readonly [number, number];

/** Where nearly all clusters lie: their mean layers are crowded in the middle, and a few outside would hide that. */
export function layersOf(clusters: readonly ClusterBrief[]): Layers {
  const sorted = clusters.map(({ layer }) => layer).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))] ?? 0;
  return [Math.floor(at(0.02)), Math.ceil(at(0.98))];
}

/** The colour of a layer: from blue for low ones over violet and red to orange for high ones. */
export function layerColour(layer: number, [low, high]: Layers, dark: boolean): string {
  const part = Math.min(1, Math.max(0, (layer - low) / Math.max(high - low, 1)));
  const hue = FIRST_HUE + part * (LAST_HUE + 360 - FIRST_HUE);
  return `oklch(${(dark ? 0.66 : 0.58) + part * 0.1} 0.17 ${hue.toFixed(1)})`;
}

export function paintMap(context: CanvasRenderingContext2D, size: Size, sight: Sight, inks: Inks, drawn: Drawn): void {
  const { clusters, most, layers, matches, chosen, pointed } = drawn;
  context.clearRect(0, 0, size.width, size.height);
  const seen = clusters.filter((cluster) => {
    const { x, y } = toCanvas(size, sight, cluster);
    const radius = radiusOf(cluster, most, sight.zoom);
    return x > -radius && y > -radius && x < size.width + radius && y < size.height + radius;
  });
  // Large ones first, so that small ones lie on them; those that are looked for come last.
  const found = seen.filter(matches);
  const others = seen.filter((cluster) => !matches(cluster));
  for (const [part, opacity] of [
    [others, 0.13],
    [found, 0.8],
  ] as const) {
    context.globalAlpha = opacity;
    for (const cluster of part) {
      const { x, y } = toCanvas(size, sight, cluster);
      context.beginPath();
      context.arc(x, y, radiusOf(cluster, most, sight.zoom), 0, 2 * Math.PI);
      context.fillStyle = layerColour(cluster.layer, layers, inks.dark);
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = inks.panel;
      context.stroke();
    }
  }
  context.globalAlpha = 1;
  for (const id of new Set([pointed, chosen])) {
    const cluster = id === null ? undefined : clusters[id];
    if (cluster === undefined) continue;
    const { x, y } = toCanvas(size, sight, cluster);
    context.beginPath();
    context.arc(x, y, radiusOf(cluster, most, sight.zoom) + 2.5, 0, 2 * Math.PI);
    context.lineWidth = id === chosen ? 2.5 : 1.5;
    context.strokeStyle = id === chosen ? inks.accent : inks.text;
    context.stroke();
  }
  paintNames(context, size, sight, inks, drawn, found);
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Names of the chosen cluster, then of the largest ones, as long as they do not cover each other. */
function paintNames(
  context: CanvasRenderingContext2D,
  size: Size,
  sight: Sight,
  inks: Inks,
  { clusters, most, chosen }: Drawn,
  found: readonly ClusterBrief[],
): void {
  context.font = `500 11px ${inks.sans}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.lineJoin = "round";
  const taken: Box[] = [];
  const first = chosen === null ? undefined : clusters[chosen];
  const named = found.filter(({ named }) => named);
  for (const cluster of new Set([...(first === undefined ? [] : [first]), ...named, ...found])) {
    if (taken.length >= LABELS * Math.min(2, sight.zoom ** 0.5)) break;
    const { x, y } = toCanvas(size, sight, cluster);
    const text = label(cluster.name);
    const half = context.measureText(text).width / 2 + 5;
    const top = y + radiusOf(cluster, most, sight.zoom) + 2;
    const box = { left: x - half, right: x + half, top: top - 2, bottom: top + 15 };
    const outside = box.left < 0 || box.right > size.width || box.bottom > size.height || y < 0;
    if (outside || taken.some((other) => overlap(box, other))) continue;
    taken.push(box);
    context.lineWidth = 3;
    context.strokeStyle = inks.panel;
    context.strokeText(text, x, top);
    context.fillStyle = cluster.id === chosen ? inks.accent : inks.text;
    context.fillText(text, x, top);
  }
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function label(name: string): string {
  const letters = Array.from(shownName(name));
  return letters.length > LETTERS ? `${letters.slice(0, LETTERS - 1).join("")}…` : letters.join("");
}

/** A cluster's name with its spaces, and everything else that does not print made visible. */
export const shownName = (name: string): string => name.split(" ").map(visible).join(" ");
