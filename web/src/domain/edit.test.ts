import { describe, expect, it } from "vitest";
import { canonicalName, formatEdit, overContinuation, parseEdit, type Edit } from "./edit";

function read(text: string): Edit {
  const found = parseEdit(text);
  if ("error" in found) throw new Error(found.error);
  return found.ok;
}

describe("the text of an edit", () => {
  it.each([
    ["L12D345=off", "L12D345=off"],
    ["l12d345 = ON", "L12D345=on"],
    ["L12D345=on-", "L12D345=on-"],
    ["L12D345=on−", "L12D345=on-"],
    ["L12D345=layermax", "L12D345=layermax"],
    ["L12D345=on*0.5@last", "L12D345=on*0.5@last"],
    ["L12D345 = On− * .5", "L12D345=on-*0.5"],
    ["L12D345=on*1", "L12D345=on"],
    ["L12D345=on*0", "L12D345=on*0"],
    ["L12E3D45=3.5@generated", "L12E3D45=3.5@generated"],
    ["L012D0345*=2", "L12D345*=2"],
    ["L12D345+=1@3,5-7", "L12D345+=1@3,5-7"],
    ["L12D345-=1", "L12D345+=-1"],
    ["L12D345=-.5e1 @ last", "L12D345=-5@last"],
    ["L12D345", "L12D345=off"],
    ["L12D345=on@all", "L12D345=on"],
  ])("reads %s", (text, canonical) => {
    expect(formatEdit(read(text))).toBe(canonical);
    expect(read(canonical)).toEqual(read(text));
  });

  it.each([
    "",
    "D345",
    "L12D345=maybe",
    "L12D345*=on",
    "L12D345=on*-1",
    "L12D345=on*",
    "L12D345=off*0.5",
    "L12D345=on*1e999",
    "L12D345=",
    "L12D345=on@",
    "L12D345=on@7-3",
    "<script>",
    "L1D2=1e999",
  ])("says what is wrong with %j", (text) => {
    expect(parseEdit(text)).toHaveProperty("error");
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
