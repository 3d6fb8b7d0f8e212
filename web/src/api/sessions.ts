// What the page asks of debugging sessions: each verb answers with the session as it then is.
import { queryOptions } from "@tanstack/react-query";
import { request } from "./client";
import { longWork } from "./longwork";
import type { PostBody, RunDifference, SessionList, SessionNode, SessionView, WatchCheck } from "./types";

const pathOf = (id: string, verb = ""): string =>
  `api/sessions/${encodeURIComponent(id)}${verb === "" ? "" : `/${verb}`}`;

export const sessionQuery = (id: string) =>
  queryOptions({
    queryKey: ["session", id],
    queryFn: ({ signal }) => request<SessionView>("GET", pathOf(id), { signal }),
    enabled: id !== "",
    staleTime: Infinity,
  });

export const sessionsQuery = () =>
  queryOptions({
    queryKey: ["sessions"],
    queryFn: ({ signal }) => request<SessionList>("GET", "api/sessions", { signal }),
    staleTime: 5000,
  });

/** An expression while it is being written: what is wrong with it, and how it may go on. */
export const checkQuery = (expression: string, cursor: number, condition: boolean, units: readonly string[]) =>
  queryOptions({
    queryKey: ["watch check", expression, cursor, condition, units],
    queryFn: ({ signal }) => {
      const body: PostBody<"/api/watches"> = { expression, cursor, condition, units: [...units] };
      return request<WatchCheck>("POST", "api/watches", { body, signal });
    },
    staleTime: 60_000,
    retry: false,
  });

export const differenceQuery = (id: string, first: string, second: string) =>
  queryOptions({
    queryKey: ["session difference", id, first, second],
    queryFn: ({ signal }) =>
      request<RunDifference>("POST", pathOf(id, "difference"), { body: { first, second, top_k: 12 }, signal }),
    staleTime: Infinity,
    retry: false,
  });

export const beginSession = (body: PostBody<"/api/sessions">): Promise<SessionView> =>
  request<SessionView>("POST", "api/sessions", { body });

export const forgetSession = (id: string): Promise<undefined> => request<undefined>("DELETE", pathOf(id));

/** Verbs that run the model; tokens are told as they come. */
export type Running =
  | { verb: "continue" }
  | { verb: "step"; how: "over" | "into" | "out"; count?: number }
  | { verb: "step"; how: "to"; layer: number };

export function run(
  id: string,
  { verb, ...body }: Running,
  signal: AbortSignal,
  token: (node: SessionNode) => void,
): Promise<SessionView> {
  return longWork<SessionView>(pathOf(id, verb), body, signal, (event, data) => {
    if (event === "token") token(data as SessionNode);
  });
}

/** Verbs that run nothing, or one step at most. */
export type Moving =
  | { verb: "back"; count: number }
  | { verb: "goto"; node: string }
  | { verb: "token"; token_id: number }
  | { verb: "edits"; interventions: string[] }
  | { verb: "watches"; watches: string[] }
  | { verb: "breakpoints"; breakpoints: string[] };

const PUT = new Set<Moving["verb"]>(["edits", "watches", "breakpoints"]);

export const move = (id: string, { verb, ...body }: Moving): Promise<SessionView> =>
  request<SessionView>(PUT.has(verb) ? "PUT" : "POST", pathOf(id, verb), { body });

export const nameNode = (id: string, node: string, name: string): Promise<SessionView> =>
  request<SessionView>("PUT", pathOf(id, `nodes/${encodeURIComponent(node)}`), { body: { name } });

export const deleteNode = (id: string, node: string): Promise<SessionView> =>
  request<SessionView>("DELETE", pathOf(id, `nodes/${encodeURIComponent(node)}`));
