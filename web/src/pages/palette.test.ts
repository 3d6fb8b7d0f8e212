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

it("a paused session is moved by the letters of the terminal, and by nothing where there is none", async () => {
  const { ACTIONS, possible } = await import("./actions");
  const run = vi.fn();
  const move = vi.fn();
  const shown = { layers: 2, length: 3, position: 0, compared: false };
  const press = (letter: string, paused: { count: number; inside: boolean } | null) => {
    const here = { ...shown, paused: paused && { ...paused, verbs: { run, move } } };
    possible(ACTIONS, here)
      .find(({ matches }) => matches(new KeyboardEvent("keydown", { key: letter })))
      ?.perform(here);
  };
  for (const letter of "nsrcu") press(letter, null);
  for (const letter of "ru") press(letter, { count: 0, inside: false });
  expect(run).not.toHaveBeenCalled();
  expect(move).not.toHaveBeenCalled();
  for (const letter of "nsrcu") press(letter, { count: 0, inside: true });
  expect(run.mock.calls).toEqual([
    [{ verb: "step", how: "over" }],
    [{ verb: "step", how: "into" }],
    [{ verb: "step", how: "out" }],
    [{ verb: "continue" }],
  ]);
  expect(move).toHaveBeenCalledWith({ verb: "back", count: 1 });
  const letters = ACTIONS.flatMap(({ keys }) => (keys.length === 1 ? keys : []));
  expect(new Set(letters).size).toBe(letters.length);
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
