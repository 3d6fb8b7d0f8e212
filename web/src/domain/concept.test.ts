import { describe, expect, it } from "vitest";
import {
  conceptName,
  formatConcept,
  freeName,
  grouped,
  inForce,
  keyOf,
  parseConcept,
  scaled,
  type Concept,
} from "./concept";
import { formatEdit, parseEdit, type ListedEdit } from "./edit";
import { fileName, recipeText } from "./recipe";

function edit(text: string, part: Partial<ListedEdit> = {}): ListedEdit {
  const found = parseEdit(text);
  if ("error" in found) throw new Error(found.error);
  return { ...found.ok, enabled: true, ...part };
}

const MOOD: Concept = { name: "mood", strength: 0.5, enabled: true };

describe("the text of a concept", () => {
  it.each([
    { name: "mood", strength: 1, enabled: true },
    { name: "mood & more #1 = “ü”", strength: 0.35, enabled: true },
    { name: "a*2", strength: 1, enabled: false },
    { name: "a*2", strength: 0, enabled: true },
    { name: "*", strength: 2, enabled: true },
  ])("comes back: %j", (concept) => {
    expect(parseConcept(formatConcept(concept))).toEqual(concept);
  });

  it("is short where nothing is special", () => {
    expect(formatConcept({ ...MOOD, strength: 1 })).toBe("mood");
    expect(formatConcept(MOOD)).toBe("mood*0.5");
    expect(formatConcept({ ...MOOD, enabled: false })).toBe("!mood*0.5");
  });

  it("is refused without a name, and kept in bounds", () => {
    expect(parseConcept("")).toBeNull();
    expect(parseConcept("!")).toBeNull();
    expect(parseConcept("*2")).toBeNull();
    expect(parseConcept("a*99")?.strength).toBe(2);
    expect(conceptName(" !! a\n b ")).toBe("a b");
    expect(conceptName("x".repeat(200))).toHaveLength(100);
  });
});

describe("what is in force", () => {
  it("leaves out what is off, alone or with its group, and scales the rest", () => {
    const list = [
      edit("L1D1=off"),
      edit("L1D2=on", { enabled: false }),
      edit("L1D3=on", { concept: MOOD }),
      edit("L1D4=4@last", { concept: MOOD, enabled: false }),
      edit("L1D5=on", { concept: { ...MOOD, name: "other", enabled: false } }),
      edit("L1D6=-4@last", { concept: MOOD }),
    ];
    expect(inForce(list).map(formatEdit)).toEqual(["L1D1=off", "L1D3=on*0.5", "L1D6=-2@last"]);
  });

  // The cases of tests/edits/test_recipe.py.
  it.each([
    ["L1D2=on", 0.5, "L1D2=on*0.5"],
    ["L1D2=on-*0.5@last", 3, "L1D2=on-*1.5@last"],
    ["L1D2=on*0.5", 2, "L1D2=on"],
    ["L1D2=on", 0, "L1D2=on*0"],
    ["L1D2=-4@3", 0.5, "L1D2=-2@3"],
    ["L1D2+=4", 1.5, "L1D2+=6"],
    ["L1D2*=3", 0.5, "L1D2*=2"],
    ["L1D2*=0.5", 2, "L1D2*=0"],
    ["L1D2=off", 0.25, "L1D2*=0.75"],
    ["L1D2=off", 2, "L1D2*=-1"],
    ["L1D2=off", 1, "L1D2=off"],
    ["L1D2=layermax", 0.5, "L1D2=layermax"],
    ["L1D2=0.1", 0.3, "L1D2=0.03"],
  ])("scales %s by %d to %s", (text, strength, expected) => {
    expect(formatEdit(scaled(edit(text), strength))).toBe(expected);
  });
});

it("groups edits where the first of each group stands", () => {
  const list = ["L1D1", "L1D2", "L1D3", "L1D4"].map((value, place) =>
    edit(value, place % 2 === 1 ? { concept: MOOD } : {}),
  );
  expect(grouped(list)).toEqual([0, { concept: MOOD, places: [1, 3] }, 2]);
  expect(freeName(list, "mood")).toBe("mood 2");
  expect(freeName(list, "new")).toBe("new");
});

it("writes a recipe's file", () => {
  const text = recipeText("bad mood", inForce([edit("L1D3=on@prompt", { concept: MOOD })]), {
    name: "demo",
    fingerprint: "abcd",
  });
  expect(text).toBe("# LM-Debugger recipe\n# name: bad mood\n# model: demo\n# fingerprint: abcd\nL1D3=on*0.5@prompt\n");
  expect(fileName("Bad mood / “1”")).toBe("bad-mood-1.recipe.txt");
  expect(fileName("名前")).toBe("concept.recipe.txt");
});

it("knows an edit again wherever it is moved", () => {
  const list = ["L1D1", "L1D2", "L1D1"].map((value) => edit(value));
  expect([0, 1, 2].map((place) => keyOf(list, place))).toEqual(["L1D1 0", "L1D2 0", "L1D1 1"]);
  expect(keyOf(list.slice(1), 0)).toBe("L1D2 0");
});
