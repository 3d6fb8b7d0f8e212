import { expect, it } from "vitest";
import type { Bisection } from "../api/types";
import { bisectionAsked, placeSaid, sidesOf, strengthOfLead } from "./bisect";

const b = { prompt: "One", interventions: ["L1D2=off"], lens: "tuned" };
const none = { a: null, b, base: false, source: "", position: 3 };

it("asks for B without its edits against B, for another prompt, or for another run with its own edits", () => {
  const mine = { prompt: "One", interventions: ["L1D2=off"], position: 3 };
  expect(bisectionAsked({ ...none, a: { ...b, interventions: [] }, base: true })).toEqual(mine);
  expect(bisectionAsked({ ...none, source: "Two" })).toEqual({ ...mine, source: "Two" });
  const a = { prompt: "Two", interventions: ["L0H1=off"], lens: "tuned" };
  expect(bisectionAsked({ ...none, a })).toEqual({ ...mine, source: "Two", source_interventions: ["L0H1=off"] });
  const ids = { ids: [1, 2], interventions: [] };
  expect(bisectionAsked({ ...none, a: ids, b: { ...ids, interventions: ["L1D2=off"] } })).toEqual({
    ...{ ids: [1, 2], interventions: ["L1D2=off"], position: 3 },
    ...{ source_ids: [1, 2], source_interventions: [] },
  });
});

it("asks nothing where there are no two runs: none, the same, the same through another lens", () => {
  expect(bisectionAsked({ ...none, b: null, source: "Two" })).toBeNull();
  expect(bisectionAsked(none)).toBeNull();
  expect(bisectionAsked({ ...none, a: { ...b, lens: "logit" } })).toBeNull();
});

it("says which run is changed by which", () => {
  expect(sidesOf({ source: "", base: true })).toEqual({ here: "A", there: "B" });
  expect(sidesOf({ source: "", base: false })).toEqual({ here: "B", there: "A" });
  expect(sidesOf({ source: "Two", base: true }).there).toBe("the other prompt");
});

it("colours a lead by how far it comes from this run's to the largest", () => {
  const score = (logit: number) => ({ id: 0, text: "", probability: 0, logit });
  const found = { answer: score(9), other: score(5), cells: [[null, 6]], frontier: [-4, 2] } as unknown as Bisection;
  expect(strengthOfLead(found, -4)).toBe(0);
  expect(strengthOfLead(found, 6)).toBe(1);
  expect(strengthOfLead(found, 1)).toBeCloseTo(0.5);
  expect(strengthOfLead(found, -40)).toBe(-1);
  expect(strengthOfLead(found, null)).toBe(0);
});

it("says where it tips", () => {
  expect(placeSaid({ layer: 3, part: "ffn" })).toBe("layer 3, feed-forward");
  expect(placeSaid({ layer: 0, part: "embedding" })).toBe("the embedding");
  expect(placeSaid({ layer: null, part: "read-out" })).toBe("the read-out");
  expect(placeSaid({ layer: null, part: null })).toBe("both give the same answer");
});
