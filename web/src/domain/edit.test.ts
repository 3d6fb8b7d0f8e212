import { describe, expect, it } from "vitest";
import { formatEdit, overContinuation, parseEdit, type Edit } from "./edit";
import CASES from "./grammar-cases.json";
import { canonicalName, isHead } from "./names";

function read(text: string): Edit {
  const found = parseEdit(text);
  if ("error" in found) throw new Error(found.error);
  return found.ok;
}

describe("the text of an edit", () => {
  // The same table is read by tests/interventions/test_shared_grammar.py.
  it.each(CASES.accepted)("reads %s as %s", (text, means) => {
    expect(formatEdit(read(text))).toBe(means);
    expect(read(means)).toEqual(read(text));
  });

  it.each(CASES.refused)("says what is wrong with %j", (text) => {
    expect(parseEdit(text)).toHaveProperty("error");
  });

  it("takes a name alone as switching it off, and heads as units", () => {
    expect(formatEdit(read("l12d345"))).toBe("L12D345=off");
    expect(formatEdit(read("L12H3*=0.5@last"))).toBe("L12H3*=0.5@last");
    expect([isHead("L12H3"), isHead("L12D3"), isHead("L12")]).toEqual([true, false, false]);
  });

  it("has one spelling of each name", () => {
    expect(canonicalName(" l2e03d4 ")).toBe("L2E3D4");
    expect(canonicalName("L2")).toBeNull();
  });
});

describe("edits over a continuation", () => {
  const edit = (scope: string): Edit => ({ value: "L1D2", operation: "off", amount: null, scope });

  it("turns scopes that speak of the prompt's end into positions", () => {
    const scopes = overContinuation(["all", "prompt", "generated", "last", "1"].map(edit), 5, 8).map(
      ({ scope }) => scope,
    );
    expect(scopes).toEqual(["all", "0-4", "5-7", "4", "1"]);
  });

  it("leaves them as they are while nothing is generated", () => {
    expect(overContinuation([edit("generated")], 5, 5)).toEqual([edit("generated")]);
  });
});
