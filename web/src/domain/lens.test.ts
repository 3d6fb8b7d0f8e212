import { expect, it } from "vitest";
import { lensName, readable } from "./lens";

it("reads through the most readable lens that is kept", () => {
  expect(readable([])).toBe("logit");
  expect(readable([{ name: "mine" }])).toBe("logit");
  expect(readable([{ name: "jacobian" }])).toBe("jacobian");
  expect(readable([{ name: "jacobian" }, { name: "tuned" }])).toBe("tuned");
});

it("has a name for each", () => {
  expect(["logit", "jacobian", "mine"].map(lensName)).toEqual(["logit lens", "Jacobian lens", "lens “mine”"]);
});
