// Runs the generation that the view asks for, token by token; stops it when the view asks for another.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asApiError, stream, type ApiError } from "../api/client";
import type { GeneratedToken, Generation, PostBody } from "../api/types";

export type GenerationRequest = PostBody<"/api/generate"> & { prompt: string };

export interface Continuing {
  /** Tokens so far. */
  tokens: readonly GeneratedToken[];
  /** The whole answer with its baseline, once it is there. */
  result: Generation | null;
  running: boolean;
  error: ApiError | null;
  stop: () => void;
}

interface State {
  key: string;
  tokens: readonly GeneratedToken[];
  result: Generation | null;
  running: boolean;
  error: ApiError | null;
}

const NONE: State = { key: "", tokens: [], result: null, running: false, error: null };

export function useGeneration(asked: GenerationRequest | null): Continuing {
  const client = useQueryClient();
  const [state, setState] = useState<State>(NONE);
  const [stopper, setStopper] = useState<AbortController | null>(null);
  const key = asked === null ? "" : JSON.stringify(asked);

  useEffect(() => {
    if (key === "") return;
    const known = client.getQueryData<Generation>(["generation", key]);
    const controller = new AbortController();
    const update = (change: Partial<State>) => {
      if (!controller.signal.aborted) setState((state) => ({ ...state, ...change }));
    };
    const run = async () => {
      if (known !== undefined) {
        setState({ key, tokens: known.tokens, result: known, running: false, error: null });
        return;
      }
      setState({ ...NONE, key, running: true });
      setStopper(controller);
      let tokens: GeneratedToken[] = [];
      try {
        for await (const { event, data } of stream("api/generate", JSON.parse(key), controller.signal)) {
          if (event === "token") update({ tokens: (tokens = [...tokens, data as GeneratedToken]) });
          if (event === "result") {
            const result = data as Generation;
            client.setQueryData(["generation", key], result);
            update({ tokens: result.tokens, result });
          }
        }
      } catch (failure) {
        update({ error: asApiError(failure) });
      }
      update({ running: false });
    };
    void run();
    return () => controller.abort();
  }, [key, client]);

  const current = state.key === key ? state : NONE;
  return {
    tokens: current.tokens,
    result: current.result,
    running: current.running,
    error: current.error,
    stop: () => {
      stopper?.abort();
      setState((state) => ({ ...state, running: false }));
    },
  };
}
