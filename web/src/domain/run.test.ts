import { describe, expect, it } from "vitest";
import { editsOfTexts, placeIn, runOf } from "./run";

const edits = editsOfTexts(["L1D2=off@last", "nonsense", "L3D4=on"]);

describe("what is run", () => {
  it("is the prompt's text with its edits", () => {
    expect(runOf({ prompt: "Hi", edits, promptIds: [1, 2], generated: [], lens: "logit" })).toEqual({
      prompt: "Hi",
      interventions: ["L1D2=off@last", "L3D4=on"],
      lens: "logit",
    });
    expect(runOf({ prompt: "", edits, promptIds: [], generated: [], lens: "logit" })).toBeNull();
  });

  it("is all ids once something was generated: what speaks of the prompt's end becomes a position", () => {
    expect(runOf({ prompt: "Hi", edits, promptIds: [1, 2], generated: [3], lens: "logit" })).toEqual({
      ids: [1, 2, 3],
      interventions: ["L1D2=off@1", "L3D4=on"],
      lens: "logit",
    });
    expect(runOf({ prompt: "Hi", edits, promptIds: [], generated: [3], lens: "logit" })).toBeNull();
  });
});

it("finds the same place in a run of another length from the end", () => {
  expect(placeIn(6, 2, 6)).toBe(2);
  expect(placeIn(6, 5, 8)).toBe(7);
  expect(placeIn(6, 0, 3)).toBe(0);
});
