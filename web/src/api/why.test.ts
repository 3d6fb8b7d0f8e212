import { expect, it } from "vitest";
import { askedOf, type WhyOptions } from "./why";

const PLAIN: WhyOptions = { verify: 0, estimate: "default", ablate: "zero", resample: "", sources: false };

it("estimates nothing that nobody asked for", () => {
  expect(askedOf(PLAIN)).toEqual({ verify: 0, estimate: false, sources: false });
  expect(askedOf({ ...PLAIN, verify: 10 }).estimate).toBe(true);
  expect(askedOf({ ...PLAIN, estimate: "relevance" }).estimate).toBe("relevance");
  expect(askedOf({ ...PLAIN, ablate: "mean" })).toEqual({ ...askedOf(PLAIN), estimate: true, ablate: "mean" });
});

it("resamples once there is a prompt to resample from", () => {
  expect(askedOf({ ...PLAIN, ablate: "resample" })).toEqual(askedOf(PLAIN));
  const asked = askedOf({ ...PLAIN, ablate: "resample", resample: "Two" });
  expect(asked).toEqual({ verify: 0, estimate: true, sources: false, ablate: "resample", resample: "Two" });
  // What was written stays for later, and is not sent.
  expect(askedOf({ ...PLAIN, ablate: "mean", resample: "Two" })).not.toHaveProperty("resample");
});
