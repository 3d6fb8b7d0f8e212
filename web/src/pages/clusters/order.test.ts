import { expect, test } from "vitest";
import type { ClusterBrief } from "../../api/types";
import { matcher, ordered, readOrder } from "./order";

const cluster = (id: number, part: Partial<ClusterBrief>): ClusterBrief => ({
  id,
  name: `cluster ${id}`,
  named: false,
  size: 10 - id,
  cohesion: 0.5,
  promotes: [],
  x: 0,
  y: 0,
  layer: 1,
  ...part,
});

const ALL = [
  cluster(0, { cohesion: 0.2, layer: 9 }),
  cluster(1, { cohesion: 0.6, layer: 3.5 }),
  cluster(2, { cohesion: 1, layer: 1, size: 1 }),
];

test("clusters are ordered by size, cohesion and layer; one of a single vector is not the tightest", () => {
  expect(ordered(ALL, "size").map(({ id }) => id)).toEqual([0, 1, 2]);
  expect(ordered(ALL, "cohesion").map(({ id }) => id)).toEqual([1, 0, 2]);
  expect(ordered(ALL, "layer").map(({ id }) => id)).toEqual([2, 1, 0]);
});

test("a text is found in names and tokens, whatever the case", () => {
  const matches = matcher(" Scho");
  expect(matches(cluster(0, { promotes: [" pupil", " SCHOOL"] }))).toBe(true);
  expect(matches(cluster(0, { name: "my schools" }))).toBe(true);
  expect(matches(cluster(0, { promotes: [" pupil"] }))).toBe(false);
  expect(ALL.every(matcher("  "))).toBe(true);
});

test("an order that the address does not know is the first", () => {
  expect(readOrder("layer")).toBe("layer");
  expect(readOrder("colour")).toBe("size");
});
