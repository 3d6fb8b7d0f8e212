// @vitest-environment jsdom
import { beforeAll, expect, it, vi } from "vitest";

beforeAll(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
});

it("finds what has every word, what begins with them first", async () => {
  const { matching } = await import("./Palette");
  const entries = ["Undo an edit", "Redo an edit", "Edit nothing", "Next token"].map((label) => ({ label }));
  expect(matching(entries, "edit").map(({ label }) => label)).toEqual(["Edit nothing", "Undo an edit", "Redo an edit"]);
  expect(matching(entries, "an redo").map(({ label }) => label)).toEqual(["Redo an edit"]);
  expect(matching(entries, "").length).toBe(4);
});

it("the state comes first; the address follows, a step at once", async () => {
  vi.useFakeTimers();
  const { setView, getView } = await import("../run/view");
  const { go, getPlace } = await import("../run/place");
  setView({ layer: 3 });
  setView({ layer: 4 });
  expect(getView().layer).toBe(4);
  expect(location.search).toBe("");
  vi.advanceTimersByTime(300);
  expect(location.search).toBe("?layer=4");
  const before = history.length;
  setView({ prompt: "Hi" });
  expect(location.search).toContain("p=Hi");
  expect(history.length).toBe(before + 1);
  go("/explore/L1D2?q=word&p=Hi");
  expect(getPlace()).toMatchObject({ exploring: true, unit: "L1D2" });
  go("/?p=Hi");
  expect(getPlace()).toMatchObject({ exploring: false, explore: { q: "word" } });
  vi.useRealTimers();
});
