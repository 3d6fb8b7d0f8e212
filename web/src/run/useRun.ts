// The two runs that the page is about: B, the prompt with its edits, and A, what it is compared with.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { tokensQuery } from "../api/queries";
import type { GeneratedToken, SessionView, Token } from "../api/types";
import { formatEdit, type Edit, type ListedEdit } from "../domain/edit";
import { editsInForce, editsOfTexts, placeIn, runOf, sameRun, type Run } from "../domain/run";
import { pathOf } from "../domain/session";
import { useGeneration } from "./generation";
import { useLens } from "./lens";
import { useSession, useSessionWork } from "./session";
import { useSettled } from "./settled";
import { useView } from "./view";

const NO_TOKENS: readonly Token[] = [];
const NO_EDITS: readonly Edit[] = [];

type Generated = Pick<GeneratedToken, "id" | "text" | "logprob">;

export interface Runs {
  a: Run | null;
  b: Run | null;
  /** B's edits in force, as text; they are those of the view once it has stood still. */
  interventions: readonly string[];
  /** Whether A is B without its edits: the server answers both at once. */
  base: boolean;
  /** Whether A and B differ at all. */
  compared: boolean;
  /** Through which B is read, and A. */
  lens: string;
  aLens: string;
  /** Whether the list of edits stands still. */
  settled: boolean;
  /** B's tokens, those of its continuation included; and how many can be read out. */
  tokens: readonly Token[];
  /** What was generated, with log-probabilities. */
  generated: readonly Generated[];
  promptLength: number;
  length: number;
  /** Where is read: in B, and the same place in A. */
  position: number;
  aPosition: number;
  aLength: number;
  /** Token ids of what can be read out, and A's tokens. */
  ids: readonly number[];
  aIds: readonly number[];
  aTokens: readonly Token[];
  /** B with another list of edits. */
  variant: (edits: readonly ListedEdit[]) => Run | null;
  error: Error | null;
}

export function useRun(): Runs {
  const view = useView();
  const settled = useSettled();
  const { lens, aLens, known } = useLens();
  const generation = useGeneration();
  const session = useSession();
  const { arriving } = useSessionWork();
  const paused = view.session !== "";
  const cut = useQuery(tokensQuery(view.prompt));
  const aCut = useQuery(tokensQuery(view.aPrompt));
  const path = useMemo(() => (session === null ? [] : pathOf(session)), [session]);
  const promptTokens = (paused ? session?.prompt : cut.data?.tokens) ?? NO_TOKENS;
  const aTokens = aCut.data?.tokens ?? NO_TOKENS;
  const chosen = useMemo(
    () =>
      [...path, ...arriving].flatMap(({ token, logprob }) =>
        token === null ? [] : [{ ...token, logprob: logprob ?? 0 }],
      ),
    [path, arriving],
  );
  const generated = paused ? chosen : generation.tokens;
  // Streaming tokens are shown at once; they are traced when the last one is there.
  const traced = paused ? Math.max(0, path.length - 1) : generation.running ? 0 : generated.length;
  const edits = useMemo(() => editsInForce(settled), [settled]);
  const base = view.aPrompt === "" && lens === aLens;
  const aEdits = useMemo(() => (base ? NO_EDITS : editsOfTexts(view.aEdits)), [base, view.aEdits]);
  const { prompt } = view;
  const aPrompt = view.aPrompt === "" ? prompt : view.aPrompt;

  const runs = useMemo(() => {
    const ids = generated.slice(0, traced).map(({ id }) => id);
    const promptIds = promptTokens.map(({ id }) => id);
    // Which lens is the best is known before anything is read, so that nothing is read twice.
    const ready = known ? prompt : "";
    if (paused) return ofSession(known ? session : null, aPrompt === prompt ? null : aPrompt, aEdits, lens, aLens);
    const b = runOf({ prompt: ready, edits, promptIds, generated: ids, lens });
    const same = aPrompt === prompt;
    const a = runOf({
      prompt: known ? aPrompt : "",
      edits: aEdits,
      promptIds,
      generated: same ? ids : [],
      lens: aLens,
    });
    const variant = (list: readonly ListedEdit[]) =>
      runOf({ prompt: ready, edits: editsInForce(list), promptIds, generated: ids, lens });
    return { a, b, variant, compared: !sameRun(a, b) };
  }, [prompt, aPrompt, edits, aEdits, promptTokens, generated, traced, lens, aLens, known, paused, session]);

  const tokens = useMemo(
    () => [
      ...promptTokens,
      ...generated.map(({ id, text }, index) => ({ position: promptTokens.length + index, id, text })),
    ],
    [promptTokens, generated],
  );
  const interventions = useMemo(() => edits.map(formatEdit), [edits]);
  const length = promptTokens.length + traced;
  // In a session the position is the program counter: where the next token comes from.
  const position = Math.min(view.position ?? (paused ? length : promptTokens.length) - 1, length - 1);
  const sameText = aPrompt === prompt;
  const ids = useMemo(() => tokens.slice(0, length).map(({ id }) => id), [tokens, length]);
  const otherIds = useMemo(() => aTokens.map(({ id }) => id), [aTokens]);
  const aLength = sameText ? length : aTokens.length;
  return {
    ...runs,
    lens,
    aLens,
    interventions,
    base,
    settled: settled === view.edits,
    tokens,
    generated,
    promptLength: promptTokens.length,
    length,
    position,
    aPosition: aLength === 0 ? -1 : placeIn(length, position, aLength),
    aLength,
    ids,
    aIds: sameText ? ids : otherIds,
    aTokens: sameText ? tokens : aTokens,
    error: cut.error ?? aCut.error,
  };
}

/** A paused session's text, each edit where it was in force; A is the same text without edits, or another prompt. */
function ofSession(
  session: SessionView | null,
  other: string | null,
  aEdits: readonly Edit[],
  lens: string,
  aLens: string,
): Pick<Runs, "a" | "b" | "variant" | "compared"> {
  if (session === null) return { a: null, b: null, variant: () => null, compared: false };
  const ids = [...session.run_ids];
  const b = { ids, interventions: [...session.run_interventions], lens };
  const a =
    other === null
      ? { ids, interventions: aEdits.map(formatEdit), lens: aLens }
      : runOf({ prompt: other, edits: aEdits, promptIds: [], generated: [], lens: aLens });
  const variant = (list: readonly ListedEdit[]): Run => ({
    ids,
    interventions: editsInForce(list).map(formatEdit),
    lens,
  });
  return { a, b, variant, compared: !sameRun(a, b) };
}
