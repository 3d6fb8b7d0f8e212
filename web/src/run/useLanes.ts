// The continuations of both runs, and where they part. B's comes token by token; A's follows when B's is there.
import { useQuery } from "@tanstack/react-query";
import { continuationQuery } from "../api/generation";
import type { GeneratedToken } from "../api/types";
import type { View } from "../domain/view";
import { useGeneration } from "./generation";
import { useRun } from "./useRun";
import { useView } from "./view";

export interface Lanes {
  /** A's continuation, null where there is none to compare. */
  a: readonly GeneratedToken[] | null;
  /** Whether A's is still being made. */
  waiting: boolean;
  /** The number of tokens that both begin with. */
  alike: number;
}

export function useLanes(): Lanes {
  const view = useView();
  const { compared, base } = useRun();
  const { tokens, running } = useGeneration();
  const sameText = base || view.aPrompt === view.prompt;
  const wanted = compared && view.generate > 0 && !running && tokens.length > 0;
  const asked = continuationOf(view, sameText ? view.prompt : view.aPrompt, base ? [] : view.aEdits);
  const other = useQuery({ ...continuationQuery(asked), enabled: wanted });
  const a = wanted ? (other.data?.tokens ?? null) : null;
  return { a, waiting: wanted && other.isFetching, alike: a === null ? 0 : alike(a, tokens) };
}

/** The continuation of a prompt by as many tokens, and chosen as those that the view asks for. */
export const continuationOf = (
  { generate, temperature, topP, seed }: Pick<View, "generate" | "temperature" | "topP" | "seed">,
  prompt: string,
  interventions: readonly string[],
) => ({
  ...{ prompt, interventions: [...interventions], max_new_tokens: generate, temperature, seed },
  ...(topP < 1 ? { top_p: topP } : {}),
});

/** How many tokens two continuations begin with alike. */
export function alike(a: readonly { id: number }[], b: readonly { id: number }[]): number {
  const parted = a.findIndex(({ id }, index) => b[index]?.id !== id);
  return parted < 0 ? Math.min(a.length, b.length) : parted;
}
