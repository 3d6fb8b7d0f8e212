// What the page asks of the server, as TanStack queries: keys, caching and retries live here and nowhere else.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, request } from "./client";
import { bare, type Run } from "../domain/run";
import { longWork } from "./longwork";
import { useStoppable } from "./stoppable";
import type {
  CalibrationSummary,
  CoefficientPath,
  Comparison,
  Examples,
  Health,
  ModelReport,
  NamedValue,
  Names,
  PostBody,
  Runs,
  SavedRun,
  Tokenization,
  TraceView,
  Trajectory,
  ValueNote,
} from "./types";

/** A full queue and a restarting server are worth another try; a refused request is not. */
export function shouldRetry(count: number, failure: Error): boolean {
  return failure instanceof ApiError && (failure.status === 503 || failure.status === 0) && count < 5;
}

const post = <T>(path: string, body: unknown, signal?: AbortSignal) => request<T>("POST", path, { body, signal });

const through = (lens: string): string => (lens === "" ? "" : `?lens=${encodeURIComponent(lens)}`);

export const healthQuery = () =>
  queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) => request<Health>("GET", "api/health", { signal }),
    refetchInterval: ({ state }) => (state.error || state.data?.status !== "ready" ? 1000 : 10_000),
    refetchIntervalInBackground: false,
    retry: false,
  });

export const modelQuery = (ready: boolean) =>
  queryOptions({
    queryKey: ["model"],
    queryFn: ({ signal }) => request<ModelReport>("GET", "api/model", { signal }),
    enabled: ready,
    staleTime: Infinity,
  });

export const examplesQuery = () =>
  queryOptions({
    queryKey: ["examples"],
    queryFn: ({ signal }) => request<Examples>("GET", "api/examples", { signal }),
    staleTime: Infinity,
  });

/** `effectOn` is the id of a token whose logit each sub-update tells its direct effect on. */
export const traceQuery = (run: Run | null, position: number, topK: number, effectOn: number | null = null) =>
  queryOptions({
    queryKey: ["trace", run, position, topK, effectOn],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/trace"> = { ...run, position, top_k: topK, effect_on: effectOn };
      // The first `on` measures all ranges before it runs.
      const long = run?.interventions.some((edit) => edit.includes("=on"));
      return long ? longWork<TraceView>("api/trace", body, signal) : post<TraceView>("api/trace", body, signal);
    },
    enabled: run !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: keepPreviousData,
  });

/** How b's prediction differs from a's, each at its position. */
export const compareQuery = (a: Run | null, aPosition: number, b: Run | null, position: number, topK = 12) =>
  queryOptions({
    queryKey: ["compare", bare(a), aPosition, bare(b), position, topK],
    queryFn: ({ signal }) => {
      const side = (run: Run | null, at: number) => ({
        prompt: null,
        ids: null,
        interventions: [],
        ...bare(run),
        position: at,
      });
      const body: PostBody<"/api/compare"> = { a: side(a, aPosition), b: side(b, position), top_k: topK };
      return post<Comparison>("api/compare", body, signal);
    },
    enabled: a !== null && b !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: keepPreviousData,
  });

export const trajectoryQuery = (run: Run | null, tokens: number[], position: number) =>
  queryOptions({
    queryKey: ["trajectory", run, tokens, position],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/trajectory"> = { ...run, tokens, position };
      return post<Trajectory>("api/trajectory", body, signal);
    },
    enabled: run !== null && tokens.length > 0,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: keepPreviousData,
  });

/** Watches through the layers: of the run, and without its edits. */
export const watchPathsQuery = (run: Run | null, watches: readonly string[], position: number) =>
  queryOptions({
    queryKey: ["watch paths", run, watches, position],
    queryFn: async ({ signal }) => {
      const body: PostBody<"/api/trace"> = { ...run, watches: [...watches], position, top_k: 1, head_tokens: 0 };
      return (await post<TraceView>("api/trace", body, signal)).watches ?? [];
    },
    enabled: run !== null && watches.length > 0,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: keepPreviousData,
    retry: false,
  });

/** A value vector; its words through a lens, the server's own if none is named. */
export const valueQuery = (value: string, lens = "") =>
  queryOptions({
    queryKey: ["value", value, lens],
    queryFn: ({ signal }) =>
      request<NamedValue>("GET", `api/values/${encodeURIComponent(value)}${through(lens)}`, { signal }),
    enabled: value !== "",
    staleTime: 30_000,
  });

export const coefficientsQuery = (value: string, run: Run | null) =>
  queryOptions({
    queryKey: ["coefficients", value, bare(run)],
    queryFn: ({ signal }) =>
      post<CoefficientPath>(`api/values/${encodeURIComponent(value)}/coefficients`, { ...bare(run) }, signal),
    enabled: value !== "" && run !== null,
    staleTime: Infinity,
    gcTime: 120_000,
    placeholderData: (previous) => (previous?.value === value ? previous : undefined),
  });

export const namesQuery = () =>
  queryOptions({
    queryKey: ["names"],
    queryFn: ({ signal }) => request<Names>("GET", "api/names", { signal }),
    staleTime: 15_000,
    refetchOnWindowFocus: true,
  });

/** A text as tokens; with the special tokens that a prompt gets unless told otherwise. */
export const tokensQuery = (text: string, special = true) =>
  queryOptions({
    queryKey: ["tokens", text, special],
    queryFn: ({ signal }) =>
      post<Tokenization>("api/tokens", { text, special } satisfies PostBody<"/api/tokens">, signal),
    enabled: text !== "",
    staleTime: Infinity,
  });

export const runsQuery = () =>
  queryOptions({
    queryKey: ["runs"],
    queryFn: ({ signal }) => request<Runs>("GET", "api/runs?limit=200", { signal }),
    staleTime: 15_000,
  });

/** Save a name and a note; everything that shows names is asked for again. */
export function useRename() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ value, name, note }: { value: string; name: string; note: string }) =>
      request<ValueNote | null>("PUT", `api/values/${encodeURIComponent(value)}/name`, { body: { name, note } }),
    onSuccess: (_, { value }) =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["value", value] }),
        client.invalidateQueries({ queryKey: ["names"] }),
      ]),
  });
}

export function useSaveRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: PostBody<"/api/runs">) => post<SavedRun>("api/runs", body),
    onSettled: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
}

export function useRetitleRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, title }: { id: number; title: string }) =>
      request<SavedRun>("PUT", `api/runs/${id}`, { body: { title } }),
    onSettled: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
}

export function useDeleteRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => request<undefined>("DELETE", `api/runs/${id}`),
    onSettled: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
}

/** Measure all ranges; `cancel` stops it, and that is no error. */
export function useCalibrate() {
  const client = useQueryClient();
  return useStoppable((_: null, signal) => longWork<CalibrationSummary>("api/calibrate", {}, signal), {
    onFound: () => client.invalidateQueries(),
  });
}
