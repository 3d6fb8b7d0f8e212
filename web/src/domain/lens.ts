// Lenses by name: what each is called, what it is for, and which is taken where none is chosen. Pure.
import type { LensSummary } from "../api/types";

export const LOGIT = "logit";

/** The best for reading first: a tuned lens foretells, a Jacobian lens tells causes. */
const READABLE = ["tuned", "jacobian"];

export const lensName = (name: string): string =>
  ({ [LOGIT]: "logit lens", tuned: "tuned lens", jacobian: "Jacobian lens" })[name] ?? `lens “${name}”`;

export const lensFor = (kind: string): string =>
  ({
    [LOGIT]: "reads each layer as if it were the last",
    tuned: "foretells what the model will say",
    jacobian: "tells what a layer makes the model say, through all later ones",
  })[kind] ?? "";

/** What is read through where none is chosen: the most readable that is kept. */
export const readable = (kept: readonly Pick<LensSummary, "name">[]): string =>
  READABLE.find((name) => kept.some((lens) => lens.name === name)) ?? LOGIT;
