// The continuation of the run that is shown, token by token. One at a time: the store holds it, `useContinuing` drives
// it, everybody else reads it.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { cutShort, stream } from "../api/client";
import type { GeneratedToken, Generation, PostBody } from "../api/types";
import { asApiError, type ApiError } from "../domain/failure";
import { createStore, useStore } from "../ui/store";
import { getView, setView } from "./view";

export type GenerationRequest = PostBody<"/api/generate"> & { prompt: string; max_new_tokens: number };

interface Continuation {
  /** What was asked for; "" for nothing. */
  key: string;
  tokens: readonly GeneratedToken[];
  warnings: readonly string[];
  running: boolean;
  error: ApiError | null;
}

const NONE: Continuation = { key: "", tokens: [], warnings: [], running: false, error: null };
const store = createStore<Continuation>(NONE);
/** How often one that went wrong was asked for again. */
const attempts = createStore(0);
let controller: AbortController | null = null;

const cached = (key: string) => ["generation", key];

/** Give up what is under way. What came so far stays, and is what the address asks for from then on. */
export function stopGeneration(): void {
  const { key, tokens, running } = store.get();
  if (!running || key === "") return;
  controller?.abort();
  const asked = { ...(JSON.parse(key) as GenerationRequest), max_new_tokens: tokens.length };
  store.set({ ...store.get(), key: tokens.length === 0 ? "" : JSON.stringify(asked), running: false });
  setView({ generate: tokens.length });
}

/** Ask again for a continuation that went wrong. */
export function continueAgain(): void {
  if (store.get().error === null) return;
  store.set(NONE);
  attempts.set(attempts.get() + 1);
}

/** Runs the generation that is asked for; another one takes its place. Mounted once. */
export function useContinuing(asked: GenerationRequest | null): void {
  const client = useQueryClient();
  const key = asked === null ? "" : JSON.stringify(asked);
  const attempt = useStore(attempts);
  useEffect(() => {
    if (store.get().key === key) return;
    controller?.abort();
    if (key === "") {
      store.set(NONE);
      return;
    }
    const known = client.getQueryData<Generation>(cached(key));
    if (known !== undefined) {
      store.set({ ...NONE, key, tokens: known.tokens, warnings: known.warnings ?? [] });
      return;
    }
    const own = (controller = new AbortController());
    const update = (change: Partial<Continuation>) => {
      if (!own.signal.aborted) store.set({ ...store.get(), ...change });
    };
    store.set({ ...NONE, key, running: true });
    const run = async () => {
      let whole = false;
      try {
        for await (const { event, data } of stream("api/generate", JSON.parse(key), own.signal)) {
          if (event === "token") update({ tokens: [...store.get().tokens, data as GeneratedToken] });
          if (event === "result") {
            const result = data as Generation;
            client.setQueryData(cached(key), result);
            update({ tokens: result.tokens, warnings: result.warnings ?? [] });
            whole = true;
          }
        }
        if (!whole) throw cutShort();
      } catch (failure) {
        update({ error: asApiError(failure) });
      }
      update({ running: false });
    };
    void run();
  }, [key, client, attempt]);
}

export const useGeneration = (): Continuation => useStore(store);

/** Whether the view asks for a continuation. */
export const wantsContinuation = (): boolean => getView().generate > 0;
