import { describe, expect, it } from "vitest";
import { FIELDS, INITIAL, readView, writeView, type View } from "./view";

const EVERYTHING: View = {
  prompt: 'a & b = "<script>"\n ↵',
  edits: [
    { value: "L12D345", operation: "on", amount: null, scope: "all", enabled: true },
    { value: "L3D4", operation: "*=", amount: 2.5, scope: "3,5-7", enabled: false },
  ],
  aPrompt: "another & one",
  aEdits: ["L1D2=off", "L3D4*=2@last"],
  lens: "tuned",
  aLens: "logit",
  split: true,
  session: "s1",
  watches: ['p(" she")', "entropy()"],
  breakpoints: ['p(" she") > 10%'],
  position: 0,
  layer: 29,
  value: "L12D345",
  inspect: "why",
  target: 7,
  versus: 0,
  verify: true,
  estimate: "integrated",
  ablate: "resample",
  resample: "a third",
  sources: true,
  compare: "difference",
  panel: "trajectory",
  threshold: 0.05,
  edge: "a.27.4.5",
  pins: ["f.3.1.1", "a.27.4.5"],
  headOrder: "induction",
  source: "another & one",
  part: "bisect",
  between: "models",
  most: 12,
  read: 4,
  receiver: "L12 attention",
  sender: "ffn",
  through: "ffn",
  colour: "entropy",
  measure: "rank",
  along: "steps",
  sort: "share",
  all: true,
  followed: [5, 0, 17],
  generate: 20,
  temperature: 0.7,
  topP: 0.9,
  seed: 3,
};

describe("view state in the URL", () => {
  it("comes back as it was", () => {
    expect(readView(`?${writeView(EVERYTHING)}`)).toEqual(EVERYTHING);
  });

  it("tells a group's strength once, with its first edit", () => {
    const concept = { name: "bad mood!", strength: 0.5, enabled: false };
    const one = { value: "L1D2", operation: "on", amount: 0.5, scope: "last", enabled: false, concept } as const;
    const alone = { value: "L1D2", operation: "off", amount: null, scope: "0", enabled: true } as const;
    const two = { ...one, value: "L1D3", enabled: true } as const;
    const view = { ...INITIAL, edits: [one, alone, two] };
    const query = writeView(view);
    expect(new URLSearchParams(query).getAll("e")).toEqual([
      "!L1D2=on*0.5@last#!bad mood!*0.5",
      "L1D2=off@0",
      "L1D3=on*0.5@last#bad mood!",
    ]);
    expect(readView(query)).toEqual(view);
  });

  it("keeps what a direction quotes", () => {
    const edits = [{ value: 'L3R("#1, \\"=@")', operation: "+=", amount: 2, scope: "last", enabled: false } as const];
    expect(readView(`?${writeView({ ...INITIAL, edits: [...edits] })}`).edits).toEqual(edits);
  });

  it("holds only what is not the default", () => {
    expect(writeView(INITIAL)).toBe("");
    expect(writeView({ ...INITIAL, prompt: "Hi", layer: 3 })).toBe("p=Hi&layer=3");
  });

  it("has a key of its own for each piece", () => {
    const keys = Object.values(FIELDS).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("falls back to defaults where the URL is wrong", () => {
    const view = readView(
      "?at=-1&layer=x&show=all&n=1&generate=99999&temperature=&follow=1,2&e=nonsense&e=L1D2=off&seed=1.5",
    );
    expect(view).toEqual({
      ...INITIAL,
      edits: [{ value: "L1D2", operation: "off", amount: null, scope: "all", enabled: true }],
    });
  });
});
