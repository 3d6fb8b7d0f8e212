import { expect, test } from "vitest";
import type { ClusterBrief } from "../../api/types";
import { clusterAt, panned, showing, toCanvas, toMap, WHOLE, zoomed } from "./mapSight";

const SIZE = { width: 800, height: 600 };

const dot = (id: number, size: number, x: number, y: number): ClusterBrief => ({
  id,
  name: "",
  named: false,
  size,
  cohesion: 0.5,
  promotes: [],
  x,
  y,
  layer: 0,
});

test("a place of the canvas and a point of the map are each other's", () => {
  const sight = { x: 0.3, y: 0.6, zoom: 4 };
  const point = toMap(SIZE, sight, { x: 120, y: 340 });
  const back = toCanvas(SIZE, sight, point);
  expect(back.x).toBeCloseTo(120);
  expect(back.y).toBeCloseTo(340);
  expect(toCanvas(SIZE, WHOLE, { x: 0.5, y: 0.5 })).toEqual({ x: 400, y: 300 });
});

test("what lies under the pointer stays there while it is enlarged; the whole map is the least", () => {
  const around = { x: 420, y: 250 };
  const near = zoomed(SIZE, WHOLE, 3, around);
  expect(near.zoom).toBe(3);
  const before = toMap(SIZE, WHOLE, around);
  const after = toMap(SIZE, near, around);
  expect(after.x).toBeCloseTo(before.x);
  expect(after.y).toBeCloseTo(before.y);
  expect(zoomed(SIZE, near, 0.01, around)).toEqual(WHOLE);
  expect(zoomed(SIZE, near, 1000, around).zoom).toBe(40);
});

test("dragging moves the map with the pointer, and not out of sight", () => {
  const sight = { x: 0.5, y: 0.5, zoom: 2 };
  const before = toCanvas(SIZE, sight, { x: 0.4, y: 0.4 });
  const after = toCanvas(SIZE, panned(SIZE, sight, 30, -20), { x: 0.4, y: 0.4 });
  expect(after.x - before.x).toBeCloseTo(30);
  expect(after.y - before.y).toBeCloseTo(-20);
  expect(panned(SIZE, sight, 1e6, -1e6)).toEqual({ x: 0, y: 1, zoom: 2 });
});

test("a point out of sight is brought into the middle, one in sight moves nothing", () => {
  const sight = { x: 0.2, y: 0.2, zoom: 8 };
  expect(showing(SIZE, sight, { x: 0.21, y: 0.2 })).toBe(sight);
  expect(showing(SIZE, sight, { x: 0.9, y: 0.8 })).toEqual({ x: 0.9, y: 0.8, zoom: 8 });
});

test("a small dot on a large one can be hit", () => {
  const clusters = [dot(0, 900, 0.5, 0.5), dot(1, 4, 0.51, 0.5)];
  const small = toCanvas(SIZE, WHOLE, { x: 0.51, y: 0.5 });
  expect(clusterAt(clusters, 900, SIZE, WHOLE, small)?.id).toBe(1);
  expect(clusterAt(clusters, 900, SIZE, WHOLE, { x: 390, y: 300 })?.id).toBe(0);
  expect(clusterAt(clusters, 900, SIZE, WHOLE, { x: 100, y: 100 })).toBeNull();
});
