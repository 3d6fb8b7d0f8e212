import { describe, expect, it } from "vitest";
import type { Edit } from "./edit";
import { atSlider, sliderOf, toCoefficient, toUnits, unitSizes } from "./units";

const range = { low: -2, high: 8 };
const edit = (part: Partial<Edit>): Edit => ({ value: "L1D2", operation: "off", amount: null, scope: "all", ...part });

describe("slider units", () => {
  it("count in the vector's own range on each side", () => {
    expect(toCoefficient(1, range)).toBe(8);
    expect(toCoefficient(-1, range)).toBe(-2);
    expect(toCoefficient(0, range)).toBe(0);
    expect(toCoefficient(0.5, range)).toBe(4);
  });

  it("come back from raw coefficients", () => {
    for (const units of [-2, -1, -0.35, 0, 0.6, 1, 2]) {
      expect(toUnits(toCoefficient(units, range), range)).toBeCloseTo(units, 10);
    }
  });

  it("borrow the other side where the vector has only one", () => {
    expect(unitSizes({ low: 0.1, high: 5 })).toEqual({ positive: 5, negative: 5 });
    expect(unitSizes({ low: -3, high: -0.1 })).toEqual({ positive: 3, negative: 3 });
    expect(unitSizes({ low: 0, high: 0 })).toEqual({ positive: 1, negative: 1 });
  });

  it("speak the words where they mean the same", () => {
    expect(atSlider(0, range)).toEqual({ operation: "off", amount: null });
    expect(atSlider(1, range)).toEqual({ operation: "on", amount: null });
    expect(atSlider(-1, range)).toEqual({ operation: "on-", amount: null });
    expect(atSlider(0.35, range)).toEqual({ operation: "on", amount: 0.35 });
    expect(atSlider(-1.5, range)).toEqual({ operation: "on-", amount: 1.5 });
    // `on` of a vector that is never positive is negative: the slider's +1 is not it.
    expect(atSlider(1, { low: -3, high: -0.1 })).toEqual({ operation: "=", amount: 3 });
  });

  it("show each edit where it stands", () => {
    expect(sliderOf(edit({ operation: "on" }), range)).toBe(1);
    expect(sliderOf(edit({ operation: "on-" }), null)).toBe(-1);
    expect(sliderOf(edit({ operation: "on", amount: 0.5 }), null)).toBe(0.5);
    expect(sliderOf(edit({ operation: "on-", amount: 0.5 }), range)).toBe(-0.5);
    expect(sliderOf(edit({ operation: "=", amount: 4 }), range)).toBe(0.5);
    expect(sliderOf(edit({ operation: "=", amount: 4 }), null)).toBeNull();
    expect(sliderOf(edit({ operation: "*=", amount: 2 }), range)).toBeNull();
  });
});
