import { expect, it } from "vitest";
import type { Bisection } from "../api/types";
import { alikeSaid, bisectionAsked, nameOf, placeSaid, sidesOf, strengthOfLead } from "./bisect";

const b = { prompt: "One", interventions: ["L1D2=off"], lens: "tuned" };
const none = { a: null, b, base: false, source: "", other: null, most: 12, ids: [4, 5, 6, 7], position: 3 };

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

it("asks for another model from the position on, whatever A and the other prompt are", () => {
  const models = { ...none, a: { prompt: "Two", interventions: [], lens: "tuned" }, source: "Three", other: "m" };
  const edits = ["L1D2=off"];
  expect(bisectionAsked(models)).toEqual({
    prompt: "One",
    interventions: edits,
    position: 3,
    other: true,
    max_new_tokens: 12,
  });
  // What the page's run has after the position, the models are to write themselves.
  expect(bisectionAsked({ ...models, position: 1 })).toEqual({
    ...{ ids: [4, 5], interventions: edits, position: 1, other: true, max_new_tokens: 12 },
  });
  expect(bisectionAsked({ ...models, b: null })).toBeNull();
});

it("says how far two models write alike", () => {
  const score = (id: number) => ({ id, text: "", probability: 0, logit: 0 });
  expect(alikeSaid({ generated: 0, answer: score(1), other: score(2) })).toBe("");
  expect(alikeSaid({ generated: 1, answer: score(1), other: score(2) })).toBe("both write 1 token alike");
  expect(alikeSaid({ generated: 29, answer: score(1), other: score(1) })).toBe("both write 30 tokens alike");
});

it("names a model by the last part of its id or path", () => {
  expect(["demo", "org/base", "/models/fine/", "C:\\models\\q4.gguf", "/"].map(nameOf)).toEqual([
    "demo",
    "base",
    "fine",
    "q4.gguf",
    "/",
  ]);
});

it("says which run is changed by which", () => {
  expect(sidesOf({ source: "", base: true, other: null })).toEqual({ here: "A", there: "B" });
  expect(sidesOf({ source: "", base: false, other: null })).toEqual({ here: "B", there: "A" });
  expect(sidesOf({ source: "Two", base: true, other: null }).there).toBe("the other prompt");
  expect(sidesOf({ source: "Two", base: true, other: "org/base" })).toEqual({ here: "this model", there: "base" });
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
