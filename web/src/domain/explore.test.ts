import { describe, expect, it } from "vitest";
import { withQuery } from "./address";
import { FIELDS as VIEW_FIELDS, readView, writeView, INITIAL as INITIAL_VIEW } from "./view";
import { FIELDS, INITIAL, readExplore, writeExplore, type Explore } from "./explore";

const EVERYTHING: Explore = {
  tab: "clusters",
  q: '"New York", /^ a+b&c=(d)/, 100%, <script>',
  like: "L12D345",
  residual: [5, 29],
  against: "My husband\nis",
  unwanted: "student",
  match: "any",
  skip: ["345", "345.99"],
  layers: [10, 20],
  sign: "+",
  expert: 0,
  named: true,
  through: "jacobian",
  limit: "100",
  cluster: 0,
  clusterSort: "size",
  clusterFilter: "words",
};

describe("the Explore page's state in the URL", () => {
  it("comes back as it was", () => {
    expect(readExplore(`?${writeExplore(EVERYTHING)}`)).toEqual(EVERYTHING);
  });

  it("holds only what is not the default", () => {
    expect(writeExplore(INITIAL)).toBe("");
    expect(writeExplore({ ...INITIAL, q: "teacher, school", sign: "-" })).toBe("q=teacher%2C+school&sign=-");
  });

  it("stands beside the prediction view's: no key is used twice, and each is read from both together", () => {
    const keys = [...Object.values(FIELDS), ...Object.values(VIEW_FIELDS)].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    const view = { ...INITIAL_VIEW, prompt: "Hi", layer: 3 };
    const query = new URL(withQuery("/explore", writeExplore(EVERYTHING), writeView(view)), "http://a").search;
    expect(readExplore(query)).toEqual(EVERYTHING);
    expect(readView(query)).toEqual(view);
  });

  it("falls back to defaults where the URL is wrong", () => {
    expect(readExplore("?layers=3&sign=x&expert=-1&named=maybe&limit=7&resid=5&cluster=a&tab=")).toEqual(INITIAL);
  });
});

it("joins a path and the queries that are not empty", () => {
  expect(withQuery("/explore", "", "")).toBe("/explore");
  expect(withQuery("/", "a=1", "", "b=2")).toBe("/?a=1&b=2");
});
