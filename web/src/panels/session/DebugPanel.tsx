// Watches, breakpoints and sessions, below the edits: what a debugging session follows, what it stops at, those that are
// kept. They are the next session's while none is shown.
import { useQuery } from "@tanstack/react-query";
import { Bug, X } from "lucide-react";
import { sessionsQuery } from "../../api/sessions";
import type { SessionSummary, WatchView } from "../../api/types";
import { stopSaid, watchSaid } from "../../domain/session";
import { visible } from "../../domain/visible";
import { useSession, useSessionVerbs } from "../../run/session";
import { getView, setView, useView } from "../../run/view";
import { Empty } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { Sparkline } from "../../ui/Sparkline";
import { ExpressionBox } from "./ExpressionBox";
import css from "./session.module.css";

export function DebugPanel() {
  const { watches, breakpoints } = useView();
  const session = useSession();
  const group = useRoving<HTMLDivElement>();
  const views = new Map(session?.watches.map((watch) => [watch.expression, watch]));
  const points = new Map(session?.breakpoints.map((point) => [point.expression, point]));
  const without = (list: readonly string[], one: string) => list.filter((other) => other !== one);
  return (
    <div ref={group}>
      <section className={css.part} aria-labelledby="watches-title">
        <h2 id="watches-title" className="section-title">
          Watches
        </h2>
        <ul aria-label="Watches">
          {watches.map((watch) => (
            <li key={watch} className={css.row}>
              <code className="mono" title={watch}>
                {watch}
              </code>
              <Value watch={views.get(watch)} />
              <Remove what={watch} onClick={() => setView({ watches: without(watches, watch) })} />
            </li>
          ))}
        </ul>
        <ExpressionBox
          label="Add a watch"
          placeholder='p(" she"), entropy(), L12D345'
          condition={false}
          onAdd={(one) => setView({ watches: [...without(getView().watches, one), one] })}
        />
      </section>
      <section className={css.part} aria-labelledby="breakpoints-title">
        <h2 id="breakpoints-title" className="section-title">
          Breakpoints
        </h2>
        <ul aria-label="Breakpoints">
          {breakpoints.map((point) => {
            const number = points.get(point)?.number;
            const hit = session?.stop.kind === "breakpoint" && session.stop.breakpoint === number;
            return (
              <li key={point} className={css.row} data-hit={hit}>
                <i className={css.point} aria-hidden />
                <code className="mono" title={point}>
                  {point}
                </code>
                <span className="muted">{(points.get(point)?.hits ?? 0) > 0 && `×${points.get(point)?.hits}`}</span>
                <Remove what={point} onClick={() => setView({ breakpoints: without(breakpoints, point) })} />
              </li>
            );
          })}
        </ul>
        <ExpressionBox
          id="add-breakpoint"
          label="Add a breakpoint"
          placeholder='p(" she") > 10%, " he", differs'
          condition
          onAdd={(one) => setView({ breakpoints: [...without(getView().breakpoints, one), one] })}
        />
      </section>
      <SessionList current={session?.id ?? ""} />
    </div>
  );
}

function Value({ watch }: { watch: WatchView | undefined }) {
  if (watch === undefined) return null;
  const numbers = watch.values.map((value) =>
    typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : null,
  );
  return (
    <>
      <Sparkline values={numbers} />
      <b className={css.value}>{watchSaid(watch.expression, watch.value)}</b>
    </>
  );
}

function Remove({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button
      type="button"
      className={css.remove}
      data-rove
      tabIndex={-1}
      aria-label={`Remove ${what}`}
      title="Remove"
      onClick={onClick}
    >
      <X aria-hidden />
    </button>
  );
}

function SessionList({ current }: { current: string }) {
  const { data } = useQuery(sessionsQuery());
  const verbs = useSessionVerbs();
  const list = data?.sessions ?? [];
  return (
    <section className={css.part} aria-labelledby="sessions-title">
      <h2 id="sessions-title" className="section-title">
        Sessions
      </h2>
      {list.length === 0 ? (
        <Empty title="No session yet">
          <Bug aria-hidden className={css.inline} /> <b>Debug</b> runs until a breakpoint and pauses there.
        </Empty>
      ) : (
        <ul aria-label="Sessions">
          {list.map((one) => (
            <li key={one.id} className={css.row} data-hit={one.id === current}>
              <button
                type="button"
                className={css.open}
                data-rove
                tabIndex={-1}
                aria-current={one.id === current ? "true" : undefined}
                title={stopSaid(one.stop)}
                onClick={() => verbs.open(one.id)}
              >
                {saidOf(one)}
              </button>
              <span className="muted">{one.tokens}</span>
              <Remove what={saidOf(one)} onClick={() => verbs.forget(one.id)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const saidOf = ({ title, prompt, text }: SessionSummary): string =>
  title || `${prompt}${text}`.split(" ").map(visible).join(" ");
