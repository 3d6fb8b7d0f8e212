// The debugging session that is shown: begun, run, moved, edited. The server has it; the address has its id, so that a
// reload finds it again.
import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import {
  beginSession,
  deleteNode,
  forgetSession,
  move,
  nameNode,
  run,
  sessionQuery,
  sessionsQuery,
  type Moving,
  type Running,
} from "../api/sessions";
import { wasStopped } from "../api/longwork";
import type { SessionNode, SessionView } from "../api/types";
import { withPlainNumbers } from "../domain/changes";
import { tokensSince } from "../domain/session";
import { asApiError, type ApiError } from "../domain/failure";
import { createStore, useStore } from "../ui/store";
import { restartEdits } from "./edits";
import { editsOfTexts } from "../domain/run";
import { getView, setView, useViewPart } from "./view";

interface Work {
  /** Tokens that have come since the last answer. */
  arriving: readonly SessionNode[];
  busy: boolean;
  error: ApiError | null;
}

const IDLE: Work = { arriving: [], busy: false, error: null };
const work = createStore<Work>(IDLE);
let controller: AbortController | null = null;

export const useSessionWork = (): Work => useStore(work);

/** Pause what is running: it stops after the token that is being made. */
export const pauseSession = (): void => controller?.abort();

/** The session of the address, as it was last told. */
export function useSession(): SessionView | null {
  const id = useViewPart("session");
  const { data } = useQuery(sessionQuery(id));
  return id === "" ? null : (data ?? null);
}

export const useSessionFailure = (): Error | null => useQuery(sessionQuery(useViewPart("session"))).error;

function told(client: QueryClient, session: SessionView): void {
  client.setQueryData(sessionQuery(session.id).queryKey, session);
  void client.invalidateQueries({ queryKey: sessionsQuery().queryKey });
}

const arrive = (node: SessionNode): void => work.set({ ...work.get(), arriving: [...work.get().arriving, node] });

/** Do something that is answered with the session; one thing at a time. */
async function doing(client: QueryClient, what: (signal: AbortSignal) => Promise<SessionView>): Promise<void> {
  if (work.get().busy) return;
  const { signal } = (controller = new AbortController());
  work.set({ ...IDLE, busy: true });
  try {
    told(client, await what(signal));
    work.set(IDLE);
  } catch (failure) {
    work.set({ ...IDLE, error: wasStopped(failure) ? null : asApiError(failure) });
    // Paused: the server has kept what came until then.
    if (wasStopped(failure)) await new Promise((resolve) => setTimeout(resolve, 150));
    const { session: id } = getView();
    if (id !== "") await client.refetchQueries({ queryKey: sessionQuery(id).queryKey });
  }
}

export interface SessionVerbs {
  begin: (interventions: readonly string[], andRun: boolean) => void;
  run: (verb: Running) => void;
  move: (verb: Moving) => void;
  name: (node: string, name: string) => void;
  remove: (node: string) => void;
  open: (id: string) => void;
  forget: (id: string) => void;
  end: () => void;
}

export function useSessionVerbs(): SessionVerbs {
  const client = useQueryClient();
  const id = useViewPart("session");
  const running = (verb: Running) => doing(client, (signal) => run(id, verb, signal, arrive));
  return {
    begin: (interventions, andRun) => {
      const { prompt, watches, breakpoints, temperature, topP, seed } = getView();
      const begin = async () => {
        const session = await beginSession({
          ...{ prompt, interventions: [...interventions], watches, breakpoints, temperature, seed },
          ...(topP < 1 ? { top_p: topP } : {}),
        });
        setView({ session: session.id, generate: 0, position: null, aPrompt: "", aEdits: [] });
        return session;
      };
      void doing(client, async (signal) => {
        const session = await begin();
        if (!andRun) return session;
        told(client, session);
        return run(session.id, { verb: "continue" }, signal, arrive);
      });
    },
    run: (verb) => void running(verb).then(() => setView({ position: null })),
    move: (verb) => void doing(client, () => move(id, verb)).then(() => setView({ position: null })),
    name: (node, name) => void doing(client, () => nameNode(id, node, name)),
    remove: (node) => void doing(client, () => deleteNode(id, node)),
    open: (other) => {
      void client.fetchQuery(sessionQuery(other)).then((session) => {
        const edits = editsOfTexts(session.interventions).map((edit) => ({ ...edit, enabled: true }));
        setView({
          ...{ session: other, generate: 0, position: null, aPrompt: "", aEdits: [], edits },
          prompt: session.prompt_text,
          watches: session.watches.map(({ expression }) => expression),
          breakpoints: session.breakpoints.map(({ expression }) => expression),
        });
        restartEdits(edits);
      });
    },
    forget: (other) => {
      if (other === id) setView({ session: "", position: null });
      void forgetSession(other).then(() => client.invalidateQueries({ queryKey: sessionsQuery().queryKey }));
    },
    end: () => setView({ session: "", position: null }),
  };
}

/** A session that waits for a verb. */
export interface Paused {
  verbs: Pick<SessionVerbs, "run" | "move">;
  /** Tokens since the prompt. */
  count: number;
  /** Whether it is inside a step, at a part of a layer. */
  inside: boolean;
}

/** The session of the address, unless it runs. */
export function usePaused(): Paused | null {
  const session = useSession();
  const { busy } = useSessionWork();
  const verbs = useSessionVerbs();
  return session === null || busy ? null : { verbs, count: tokensSince(session), inside: session.frame !== null };
}

/** Edits, watches and breakpoints of the page are the session's: what is changed here is changed there. Mounted once. */
export function useSessionSync(interventions: readonly string[], settled: boolean): void {
  const client = useQueryClient();
  const session = useSession();
  const watches = useViewPart("watches");
  const breakpoints = useViewPart("breakpoints");
  const { busy, error } = useSessionWork();
  const same = (a: readonly string[], b: readonly string[]) =>
    JSON.stringify(a.map(withPlainNumbers)) === JSON.stringify(b.map(withPlainNumbers));
  const id = session?.id ?? "";
  const changed: Moving | null =
    session === null || busy || error !== null
      ? null
      : settled && !same(interventions, session.interventions)
        ? { verb: "edits", interventions: [...interventions] }
        : !same(
              watches,
              session.watches.map(({ expression }) => expression),
            )
          ? { verb: "watches", watches }
          : !same(
                breakpoints,
                session.breakpoints.map(({ expression }) => expression),
              )
            ? { verb: "breakpoints", breakpoints }
            : null;
  const key = changed === null ? "" : JSON.stringify(changed);
  useEffect(() => {
    if (key === "" || id === "") return;
    const sent = JSON.parse(key) as Moving;
    void doing(client, async () => {
      const next = await move(id, sent);
      // The server writes them in one way: so does the page from then on.
      if (sent.verb === "watches") setView({ watches: next.watches.map(({ expression }) => expression) });
      if (sent.verb === "breakpoints") setView({ breakpoints: next.breakpoints.map(({ expression }) => expression) });
      return next;
    });
  }, [key, id, client]);
}
