// One edit over its strengths: the probability of the token that leads without it, and how far the prediction moves. A
// point is adopted with a click.
import { useSweep } from "../../api/sweep";
import type { SweepAnswer } from "../../api/types";
import { parseEdit, type ListedEdit } from "../../domain/edit";
import { nats, percent, short } from "../../domain/numbers";
import { changeEdit } from "../../run/edits";
import { useRun } from "../../run/useRun";
import { useViewPart } from "../../run/view";
import { ErrorNote, Stopped } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import css from "./edits.module.css";

const WIDE = 230;
const HIGH = 76;
const EDGE = 6;

export function Sweep({ edit, index }: { edit: ListedEdit; index: number }) {
  const edits = useViewPart("edits");
  const { position, variant } = useRun();
  const sweep = useSweep();
  const run = variant(edits.map((one, place) => (place === index ? { ...one, enabled: false } : one)));
  return (
    <div className={css.sweep}>
      <button
        type="button"
        className="button small"
        disabled={run === null || sweep.isPending}
        title="The prediction at 21 strengths of this edit"
        onClick={() => run !== null && sweep.mutate({ run, position, unit: edit.value })}
      >
        {sweep.isPending ? "Sweeping…" : "Sweep"}
      </button>
      {sweep.error !== null && <ErrorNote failure={sweep.error} />}
      {sweep.stopped && <Stopped />}
      {sweep.data && !sweep.isPending && <Chart answer={sweep.data} edit={edit} index={index} />}
    </div>
  );
}

function Chart({ answer, edit, index }: { answer: SweepAnswer; edit: ListedEdit; index: number }) {
  const { points, target } = answer;
  const most = Math.max(...points.map(({ probability }) => probability), 1e-12);
  const farthest = Math.max(...points.map(({ kl }) => kl), 1e-12);
  const [low, high] = [points[0]?.strength ?? 0, points.at(-1)?.strength ?? 1];
  const x = (strength: number) => EDGE + ((strength - low) / (high - low)) * (WIDE - 2 * EDGE);
  const y = (share: number) => HIGH - EDGE - share * (HIGH - 2 * EDGE);
  const line = (share: (point: (typeof points)[number]) => number) =>
    points.map((point) => `${x(point.strength).toFixed(1)},${y(share(point)).toFixed(1)}`).join(" ");
  const adopt = (text: string) => {
    const found = parseEdit(text);
    if ("ok" in found) changeEdit(index, { operation: found.ok.operation, amount: found.ok.amount });
  };
  return (
    <figure aria-label={`Sweep of ${edit.value}`}>
      <figcaption className="muted">
        <span>
          <i /> <TokenText text={target.text} /> up to {percent(most)}
        </span>
        <span>
          <i className={css.dashed} /> KL up to {nats(farthest)} nats
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDE} ${HIGH}`} width={WIDE} height={HIGH}>
        {low < 0 && high > 0 && <line className={css.zero} x1={x(0)} x2={x(0)} y1={0} y2={HIGH} />}
        <polyline className={css.kl} points={line(({ kl }) => kl / farthest)} />
        <polyline className={css.probability} points={line(({ probability }) => probability / most)} />
        {points.map((point) => (
          <circle
            key={point.edit}
            className={css.point}
            cx={x(point.strength)}
            cy={y(point.probability / most)}
            r={4}
            role="button"
            tabIndex={-1}
            aria-label={`Adopt ${point.edit}`}
            onClick={() => adopt(point.edit)}
          >
            <title>
              {`${point.edit}\n${percent(point.probability)}, rank ${point.rank}, KL ${nats(point.kl)} nats\nthen “${point.top.text}” leads with ${percent(point.top.probability)}. Click to adopt.`}
            </title>
          </circle>
        ))}
      </svg>
      <p className={`mono muted ${css.ends}`}>
        <span>{short(low)}</span>
        <span>{answer.operation === "scale" ? "factor" : answer.operation === "add" ? "added" : "coefficient"}</span>
        <span>{short(high)}</span>
      </p>
    </figure>
  );
}
