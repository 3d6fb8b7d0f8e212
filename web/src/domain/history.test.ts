import { describe, expect, it } from "vitest";
import type { SavedRun } from "../api/types";
import { changesBetween } from "./changes";
import { record, without, type Past, type Seen } from "./history";
import { treeOf, type RunNode } from "./tree";

const run = (prompt: string, ...interventions: string[]): Seen => ({ prompt, interventions, view: "", best: null });

/** Runs that are shown one after the other, a minute apart. */
function shown(...runs: Seen[]): Past {
  return runs.reduce<Past>((past, seen, index) => record(past, seen, index * 60_000, `k${index}`), {
    runs: [],
    current: null,
  });
}

const parents = ({ runs }: Past) => Object.fromEntries(runs.map(({ key, parent }) => [key, parent]));

const saved = (id: number, prompt: string, parent: number | null, ...interventions: string[]): SavedRun => ({
  ...{ id, prompt, parent, interventions, position: -1, title: "", view: "" },
  created: "2026-01-02T03:04:05Z",
});

/** The tree as nested names. */
const names = (nodes: readonly RunNode[]): unknown[] =>
  nodes.map(({ key, children }) => (children.length > 0 ? [key, names(children)] : key));

describe("the history of runs", () => {
  it("takes a run with other edits as the child of the one before, and finds known runs again", () => {
    const past = shown(run("a"), run("a", "L1D2=off"), run("a"), run("a", "L1D3=on"));
    expect(parents(past)).toEqual({ k0: null, k1: "k0", k3: "k0" });
    expect(past.current).toBe("k3");
  });

  it("begins anew with another prompt, unless it is a variation or the edits stay", () => {
    const past = shown(
      run("The wife is a"),
      run("The husband is a"),
      run("Once upon a time"),
      run("Hello", "L1D2=off"),
    );
    expect(parents(past)).toEqual({ k0: null, k1: "k0", k2: null, k3: "k2" });
  });

  it("keeps one run of a slider that is moved", () => {
    const first = record(shown(run("a"), run("a", "L1D2=on")), run("a", "L1D2=3"), 200_000, "x");
    const moved = record(first, run("a", "L1D2=4"), 201_000, "y");
    expect(moved.runs.map(({ interventions }) => interventions)).toEqual([[], ["L1D2=on"], ["L1D2=4"]]);
    expect(record(moved, run("a", "L1D2=5"), 300_000, "z").runs).toHaveLength(4);
  });

  it("remembers how a run was last shown, and does not change what is as it was", () => {
    const past = shown(run("a"));
    const seen = { ...run("a"), view: "layer=3", best: { text: " b", probability: 0.5 } };
    const later = record(past, seen, 1, "x");
    expect(later.runs).toEqual([{ ...seen, key: "k0", parent: null, title: "", time: 0 }]);
    expect(record(later, { ...seen, best: { text: " b", probability: 0.5 } }, 2, "y")).toBe(later);
    expect(record(later, { ...seen, best: null }, 2, "y")).toBe(later);
  });

  it("closes up where a run is forgotten, and forgets the oldest", () => {
    const past = shown(run("a"), run("a", "L1D1=off"), run("a", "L1D1=off", "L1D2=off"));
    expect(without(past.runs, "k1").map(({ key, parent }) => [key, parent])).toEqual([
      ["k0", null],
      ["k2", "k0"],
    ]);
    const many = shown(...Array.from({ length: 210 }, (_, index) => run("a", `L1D${index}=off`)));
    expect(many.runs).toHaveLength(200);
    expect(many.runs[0]).toMatchObject({ key: "k10", parent: null });
    const long = shown(...Array.from({ length: 5 }, (_, index) => run(`${index}`.repeat(300_000))));
    expect(long.runs).toHaveLength(3);
  });
});

describe("differences", () => {
  it("are told apart by vector and scope", () => {
    const from = { prompt: "a", interventions: ["L1D2=on", "L1D2=off@last", "L3D4*=2.0"] };
    const to = { prompt: "b", interventions: ["L1D2=on*0.5", "L3D4*=2.0", "L1E7D2=off@3,5-7"] };
    expect(changesBetween(from, to)).toEqual({
      prompt: true,
      added: ["L1E7D2=off@3,5-7"],
      removed: ["L1D2=off@last"],
      changed: [["L1D2=on", "L1D2=on*0.5"]],
    });
  });
});

describe("the tree of runs", () => {
  it("shows what was kept and what was not as one", () => {
    const past = shown(run("a"), run("a", "L1D1=off"), run("a", "L1D1=off", "L1D2=off"));
    const server = [saved(8, "theirs", 7, "L9D9=on"), saved(7, "a", null, "L1D1=off")];
    const tree = treeOf(past.runs, server);
    expect(names(tree)).toEqual([["k0", [["s7", ["k2", "s8"]]]]]);
    const kept = tree[0]?.children[0];
    expect(kept).toMatchObject({ saved: 7, past: "k1", savedAncestor: null });
    expect(kept?.children[0]).toMatchObject({ saved: null, savedAncestor: 7, changes: { added: ["L1D2=off"] } });
  });

  it("knows a run again whose numbers the server writes in its own way", () => {
    const past = shown(run("a"), run("a", "L1D1=2", "L1D2*=0.00001@3,5-7"));
    const tree = treeOf(past.runs, [saved(7, "a", null, "L1D1=2.0", "L1D2*=1e-05@3,5-7")]);
    expect(names(tree)).toEqual([["k0", ["s7"]]]);
  });

  it("lists beginnings newest first, and survives parents that are gone or go in a circle", () => {
    const past = shown(run("one"), run("two, far away"), run("three, elsewhere"));
    const [first, second, third] = past.runs;
    if (!first || !second || !third) throw new Error("three runs");
    expect(names(treeOf(past.runs, []))).toEqual(["k2", "k1", "k0"]);
    expect(names(treeOf([{ ...first, parent: "gone" }], []))).toEqual(["k0"]);
    const circle = [
      { ...first, parent: "k1" },
      { ...second, parent: "k0" },
    ];
    expect(names(treeOf(circle, []))).toEqual([["k1", ["k0"]]]);
    expect(names(treeOf([first], [{ ...saved(7, "one", null), parent: 7 }]))).toEqual(["s7"]);
  });
});
