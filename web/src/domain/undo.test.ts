import { expect, it } from "vitest";
import { advance, begin, redo, undo } from "./undo";

it("goes back and forth", () => {
  let line = advance(advance(begin("a"), "b"), "c");
  line = undo(undo(line));
  expect(line.present).toBe("a");
  expect(undo(line)).toBe(line);
  line = redo(line);
  expect(line.present).toBe("b");
  expect(redo(redo(line)).present).toBe("c");
});

it("forgets what was undone when something new is done", () => {
  const line = advance(undo(advance(begin("a"), "b")), "c");
  expect(line.future).toEqual([]);
  expect(undo(line).present).toBe("a");
});
