// Joins the view state and the server's answers: what is run, where it is read, what came back. One place, no markup.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { gridQuery, namesQuery, tokensQuery, traceQuery, type Run } from "../api/queries";
import type { Token } from "../api/types";
import { useDebounced } from "../ui/hooks";
import { inForce } from "../domain/concept";
import { formatEdit, overContinuation } from "../domain/edit";
import { useView } from "./view";
import { useGeneration, type GenerationRequest } from "./generation";

/** The edits wait this long for the next change before the page runs again. */
const DEBOUNCE = 250;

/** Tokens and sub-updates of each layer. */
const LISTED = 10;
const LISTED_FOR_DIFFERENCE = 30;

export function useSession(ready: boolean) {
  const view = useView();
  const settled = useDebounced(view.edits, DEBOUNCE);
  const edits = useMemo(() => inForce(settled), [settled]);
  const texts = useMemo(() => edits.map(formatEdit), [edits]);
  const prompt = view.prompt;

  const asked: GenerationRequest | null =
    ready && view.generate > 0 && prompt !== ""
      ? {
          prompt,
          interventions: texts,
          max_new_tokens: view.generate,
          temperature: view.temperature,
          ...(view.topP < 1 ? { top_p: view.topP } : {}),
          seed: view.seed,
        }
      : null;
  const generation = useGeneration(asked);
  const cut = useQuery({ ...tokensQuery(prompt), enabled: ready && prompt !== "" });
  const promptTokens = useMemo(() => cut.data?.tokens ?? [], [cut.data]);

  const generated = generation.tokens;
  // Streaming tokens are shown at once; they are traced when the last one is there.
  const traced = generation.running ? 0 : generated.length;
  const run: Run | null = useMemo(() => {
    if (!ready || prompt === "" || (traced > 0 && promptTokens.length === 0)) return null;
    if (traced === 0) return { prompt, interventions: texts };
    const total = promptTokens.length + traced;
    return {
      ids: [...promptTokens.map(({ id }) => id), ...generated.slice(0, traced).map(({ id }) => id)],
      interventions: overContinuation(edits, promptTokens.length, total).map(formatEdit),
    };
  }, [ready, prompt, traced, promptTokens, generated, edits, texts]);
  const baseRun: Run | null = useMemo(() => (run === null ? null : { ...run, interventions: [] }), [run]);

  // A difference is only known of what both runs list: longer lists show more of it.
  const listed = texts.length > 0 && view.compare === "difference" ? LISTED_FOR_DIFFERENCE : LISTED;
  const length = promptTokens.length + traced;
  const position = Math.min(view.position ?? promptTokens.length - 1, length - 1);
  const plain = useQuery(traceQuery(promptTokens.length > 0 ? run : null, position, listed));
  const output = plain.data?.output;
  const followed = useMemo(
    () => (view.followed.length > 0 ? view.followed : (output ?? []).slice(0, 3).map(({ id }) => id)),
    [view.followed, output],
  );
  // Without effects this is the query above, answered once.
  const effectOn = view.sort === "effect" ? (followed[0] ?? null) : null;
  const trace = useQuery(traceQuery(promptTokens.length > 0 ? run : null, position, listed, effectOn));
  const edited = texts.length > 0;
  const chosen = view.colour === "rank" ? (view.followed[0] ?? output?.[0]?.id ?? null) : null;
  const grid = useQuery(gridQuery(run, chosen));
  const baseGrid = useQuery(gridQuery(edited ? baseRun : null, chosen));
  const noted = useQuery({ ...namesQuery(), enabled: ready });
  const names = useMemo(
    () => new Map((noted.data?.names ?? []).filter(({ name }) => name).map(({ value, name }) => [value, name])),
    [noted.data],
  );
  const tokens: readonly Token[] = useMemo(
    () => [
      ...promptTokens,
      ...generated.map(({ id, text }, index) => ({ position: promptTokens.length + index, id, text })),
    ],
    [promptTokens, generated],
  );
  return {
    view,
    run,
    /** The edits in force, as text; they are those of the view once it has stood still. */
    interventions: texts,
    settled: settled === view.edits,
    edited,
    /** What is shown of a comparison; without edits there is nothing to compare. */
    compare: edited ? view.compare : ("edited" as const),
    tokens,
    promptLength: promptTokens.length,
    /** How many tokens can be read out. */
    length,
    position,
    cutError: cut.error,
    trace,
    grid,
    baseGrid,
    chosen,
    followed,
    generation,
    names,
  };
}

export type Session = ReturnType<typeof useSession>;
