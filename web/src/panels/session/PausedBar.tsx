// Where a session is and why, with the verbs of a debugger. Only while one is shown.
import { CornerDownRight, CornerUpLeft, Pause, Play, StepForward, Undo2, X } from "lucide-react";
import { stopSaid, tokensSince } from "../../domain/session";
import { pauseSession, useSession, useSessionFailure, useSessionVerbs, useSessionWork } from "../../run/session";
import { useViewPart } from "../../run/view";
import { ErrorNote, Warning } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { ForceToken } from "./ForceToken";
import css from "./session.module.css";

export function PausedBar() {
  const id = useViewPart("session");
  const session = useSession();
  const failure = useSessionFailure();
  const { busy, error } = useSessionWork();
  const verbs = useSessionVerbs();
  const group = useRoving<HTMLDivElement>();
  if (id === "" && error === null) return null;
  const verb = { "data-rove": true, tabIndex: -1, type: "button", className: "button small", disabled: busy } as const;
  const frame = session?.frame ?? null;
  const here = session === null ? 0 : tokensSince(session);
  return (
    <section className={css.paused} aria-label="Debugging session" data-busy={busy}>
      {(failure ?? error) !== null && <ErrorNote failure={failure ?? error} />}
      {session !== null && (
        <div className={css.bar} ref={group}>
          <b className={css.state}>{busy ? "RUNNING" : `PAUSED at ${here}`}</b>
          <span className={css.why} role="status">
            {busy
              ? ""
              : frame === null
                ? stopSaid(session.stop)
                : `In layer ${frame.part.layer}, after its ${PARTS[frame.part.part]}`}
          </span>
          <span className="grow" />
          {busy ? (
            <button type="button" className="button small danger" onClick={pauseSession}>
              <Pause aria-hidden />
              Pause
            </button>
          ) : (
            <button
              {...verb}
              title="Run until a breakpoint (c)"
              aria-keyshortcuts="c"
              onClick={() => verbs.run({ verb: "continue" })}
            >
              <Play aria-hidden />
              Continue
            </button>
          )}
          <button
            {...verb}
            title={frame === null ? "One token (n)" : "One layer (n)"}
            aria-keyshortcuts="n"
            onClick={() => verbs.run({ verb: "step", how: "over" })}
          >
            <StepForward aria-hidden />
            Over
          </button>
          <button
            {...verb}
            title={frame === null ? "Into the next token, layer by layer (s)" : "One part of a layer (s)"}
            aria-keyshortcuts="s"
            onClick={() => verbs.run({ verb: "step", how: "into" })}
          >
            <CornerDownRight aria-hidden />
            Into
          </button>
          <button
            {...verb}
            disabled={busy || frame === null}
            title="Finish the token (r)"
            aria-keyshortcuts="r"
            onClick={() => verbs.run({ verb: "step", how: "out" })}
          >
            <CornerUpLeft aria-hidden />
            Out
          </button>
          <button
            {...verb}
            disabled={busy || (here <= 0 && frame === null)}
            title="Undo a step; nothing is lost (u)"
            aria-keyshortcuts="u"
            onClick={() => verbs.move({ verb: "back", count: 1 })}
          >
            <Undo2 aria-hidden />
            Back
          </button>
          <ForceToken
            session={session}
            disabled={busy || here <= 0}
            onForce={(token_id) => verbs.move({ verb: "token", token_id })}
          />
          <button
            {...verb}
            className="button small quiet icon"
            aria-label="Leave the session"
            title="Leave it; it is kept"
            onClick={verbs.end}
          >
            <X aria-hidden />
          </button>
        </div>
      )}
      {session?.warnings.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
    </section>
  );
}

const PARTS = { attention: "attention", ffn: "feed-forward" } as const;
