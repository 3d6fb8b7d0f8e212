import { describe, expect, it } from "vitest";
import { nearestFirst, nextBatch, sourcesOf } from "./columns";

const IDS = [5, 6, 7, 8];
const run = (...interventions: string[]) => ({ ids: IDS, interventions });
const keys = (...edits: string[]) => sourcesOf(run(...edits), IDS, null);

describe("where columns are found", () => {
  it("is another place only for the columns that an edit can reach, and from its layer on", () => {
    const before = keys();
    const after = keys("L3D4=off@2");
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).toMatchObject({ plain: before[2]?.plain, from: 3 });
    expect(after[2]?.edited).not.toBe(before[2]?.edited);
    expect(keys("L3D4=off@last")[2]).toEqual(before[2]);
    expect(keys("L9D1=on", "L3H4=off")[0]?.from).toBe(3);
    expect(keys("L3D4=off@7,1-2")[1]?.from).toBe(3);
  });

  it("is the same for a longer text that begins alike, and another for another token before", () => {
    const longer = sourcesOf({ prompt: "x", interventions: [] }, [...IDS, 9], null);
    expect(longer.slice(0, 4)).toEqual(keys());
    const other = sourcesOf({ prompt: "x", interventions: [] }, [5, 60, 7, 8], null);
    expect(other[0]).toEqual(keys()[0]);
    expect(other[3]).not.toEqual(keys()[3]);
  });
});

describe("what is asked for", () => {
  it("is what is missing, of one kind, the nearest first", () => {
    const sources = keys("L3D4=off@2");
    const known = new Set([sources[3]?.plain, sources[1]?.plain]);
    const ask = (most: number) => nextBatch(sources, nearestFirst(0, 3, 3), (key) => known.has(key), most);
    expect(ask(9)).toEqual({ edited: true, from: 3, positions: [3, 2] });
    expect(ask(1)).toEqual({ edited: true, from: 3, positions: [3] });
    known.add(sources[3]?.edited).add(sources[2]?.edited);
    expect(ask(9)).toEqual({ edited: false, from: 0, positions: [2, 0] });
    known.add(sources[2]?.plain).add(sources[0]?.plain);
    expect(ask(9)).toBeNull();
  });

  it("does not ask for layers below an edit of the first one", () => {
    const sources = keys("L0D1=off");
    expect(nextBatch(sources, [0], (key) => key === sources[0]?.edited, 9)).toBeNull();
  });
});
