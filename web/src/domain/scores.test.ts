import { expect, it } from "vitest";
import type { SearchResult } from "../api/types";
import { editOf, written } from "./scores";

const found = (sign: "+" | "-") => ({ value: "L1D2", sign }) as SearchResult;

it("writes a score in its measure's unit", () => {
  expect(written(-4.567, "z")).toBe("−4.57σ");
  expect(written(0.274, "cosine")).toBe("0.27");
  expect(written(0.0538, "share")).toBe("5.4%");
  expect(written(-0.0538, "share")).toBe("−5.4%");
});

it("switches on what says the words, on its side, and off what writes a stream", () => {
  expect(editOf(found("+"), "z")).toEqual({ value: "L1D2", operation: "on" });
  expect(editOf(found("-"), "z")).toEqual({ value: "L1D2", operation: "on-" });
  expect(editOf(found("-"), "cosine")).toEqual({ value: "L1D2", operation: "on-" });
  expect(editOf(found("-"), "share")).toEqual({ value: "L1D2", operation: "off" });
});
