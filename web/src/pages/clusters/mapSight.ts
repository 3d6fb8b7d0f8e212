// The geometry of the map: which part of it is in sight, and what lies under a place of the canvas. Pure.
import type { ClusterBrief } from "../../api/types";

export interface Size {
  width: number;
  height: number;
}

/** The point of the map in the middle of the canvas, and how many times the whole map is enlarged. */
export interface Sight {
  x: number;
  y: number;
  zoom: number;
}

export interface Point {
  x: number;
  y: number;
}

export const WHOLE: Sight = { x: 0.5, y: 0.5, zoom: 1 };
const MOST = 40;
const MARGIN = 36;
const LARGEST = 15;
const SMALLEST = 2;

/** Pixels for each unit of the map. */
const scaleOf = ({ width, height }: Size, { zoom }: Sight): number =>
  Math.max(1, Math.min(width, height) - 2 * MARGIN) * zoom;

export function toCanvas(size: Size, sight: Sight, { x, y }: Point): Point {
  const scale = scaleOf(size, sight);
  return { x: size.width / 2 + (x - sight.x) * scale, y: size.height / 2 + (y - sight.y) * scale };
}

export function toMap(size: Size, sight: Sight, { x, y }: Point): Point {
  const scale = scaleOf(size, sight);
  return { x: sight.x + (x - size.width / 2) / scale, y: sight.y + (y - size.height / 2) / scale };
}

const within = (value: number): number => Math.min(1, Math.max(0, value));

/** Enlarge (or with a factor below 1 reduce) around a place of the canvas, which keeps what lies under it. */
export function zoomed(size: Size, sight: Sight, factor: number, around: Point): Sight {
  const zoom = Math.min(MOST, Math.max(1, sight.zoom * factor));
  if (zoom === 1) return WHOLE;
  const fixed = toMap(size, sight, around);
  const moved = toMap(size, { ...sight, zoom }, around);
  return { x: within(sight.x + fixed.x - moved.x), y: within(sight.y + fixed.y - moved.y), zoom };
}

/** Move what is in sight by pixels. */
export function panned(size: Size, sight: Sight, dx: number, dy: number): Sight {
  const scale = scaleOf(size, sight);
  return { ...sight, x: within(sight.x - dx / scale), y: within(sight.y - dy / scale) };
}

/** The sight itself where the point is well inside it, else one with the point in the middle. */
export function showing(size: Size, sight: Sight, point: Point): Sight {
  const { x, y } = toCanvas(size, sight, point);
  const inside = x > MARGIN && y > MARGIN && x < size.width - MARGIN && y < size.height - MARGIN;
  return inside ? sight : { ...sight, x: point.x, y: point.y };
}

/** A dot's radius: its area stands for the number of members; it grows with the zoom, but less. */
export function radiusOf(cluster: ClusterBrief, most: number, zoom: number): number {
  return (SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(cluster.size / most)) * zoom ** 0.35;
}

/** The cluster under a place of the canvas: the one whose dot is hit, the smallest of several. */
export function clusterAt(
  clusters: readonly ClusterBrief[],
  most: number,
  size: Size,
  sight: Sight,
  place: Point,
): ClusterBrief | null {
  let best: ClusterBrief | null = null;
  let closest = Infinity;
  for (const cluster of clusters) {
    const { x, y } = toCanvas(size, sight, cluster);
    const radius = radiusOf(cluster, most, sight.zoom);
    const away = Math.hypot(x - place.x, y - place.y) - radius;
    // Inside a dot, being near its middle counts by the dot's size: small dots on large ones can be hit.
    const distance = away > 0 ? away : away / radius - 1 / radius;
    if (away <= 4 && distance < closest) {
      best = cluster;
      closest = distance;
    }
  }
  return best;
}
