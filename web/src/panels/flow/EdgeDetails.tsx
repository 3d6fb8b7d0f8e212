// One edge: of an attention edge its heads, what each brings and from where else it reads; of a feed-forward its value
// vectors at that place.
import { ArrowLeft, Pin } from "lucide-react";
import type { Flow, FlowEdge } from "../../api/types";
import { keyOf } from "../../domain/flow";
import { percent, short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { openUnit } from "../../run/unit";
import { lookAt, togglePin, type ShownFlow } from "../../run/useFlow";
import { shownSide, useTrace } from "../../run/useTrace";
import { setView } from "../../run/view";
import { Empty } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import { EditMenu } from "../unit/EditMenu";
import { EdgeName } from "./EdgeName";
import css from "./flow.module.css";

interface Props {
  edge: FlowEdge;
  shown: ShownFlow;
  flow: Flow;
  pins: readonly string[];
}

export function EdgeDetails({ edge, flow, pins }: Props) {
  const pinned = pins.includes(keyOf(edge));
  const group = useRoving<HTMLDivElement>();
  return (
    <div ref={group}>
      <div className={css.title}>
        <button type="button" className="button small quiet" aria-label="All edges" onClick={() => lookAt(null)}>
          <ArrowLeft aria-hidden />
          all
        </button>
        <span className="grow" />
        <button
          type="button"
          className="button small"
          aria-pressed={pinned}
          title="Keep its route in sight, whatever the threshold is"
          onClick={() => togglePin(edge, pins)}
        >
          <Pin aria-hidden />
          {pinned ? "pinned" : "pin"}
        </button>
      </div>
      <h3 className={css.heading}>
        <EdgeName edge={edge} tokens={flow.tokens} />
      </h3>
      <p className={css.note}>
        <b>{percent(edge.contribution)}</b> of the stream at <TokenText text={flow.tokens[edge.target]?.text ?? ""} />,
        position {edge.target}, {edge.kind === "feed-forward" ? "after" : "before the feed-forward of"} layer{" "}
        {edge.layer}
      </p>
      {edge.kind === "attention" && <EdgeHeads edge={edge} flow={flow} />}
      {edge.kind === "feed-forward" && <Updates edge={edge} />}
      {edge.kind === "mixer" && (
        <p className={css.note}>What this layer took from other positions cannot be read apart.</p>
      )}
    </div>
  );
}

function EdgeHeads({ edge, flow }: { edge: FlowEdge; flow: Flow }) {
  const most = Math.max(...edge.heads.map(({ contribution }) => contribution), 1e-9);
  const others = flow.edges.filter(
    ({ kind, layer, target }) => kind === "attention" && layer === edge.layer && target === edge.target,
  );
  return (
    <ul className={css.heads} aria-label="Heads of the edge">
      {edge.heads.map(({ head, contribution, weight }) => (
        <li key={head}>
          <div className={css.head}>
            <button type="button" data-rove tabIndex={-1} aria-label={`Open ${head}`} onClick={() => openUnit(head)}>
              <span className="chip-bar" style={{ width: `${(contribution / most) * 100}%` }} />
              <b className="mono">{head}</b>
              <span className={css.figure}>{percent(contribution)}</span>
            </button>
            <EditMenu unit={head} quiet roving />
          </div>
          <p className={css.pattern} title="Attention weight of each source that is listed, and what it brings">
            attends {percent(weight)}
            {others
              .filter(({ source }) => source !== edge.source)
              .flatMap((other) => {
                const same = other.heads.find((one) => one.head === head);
                return same === undefined ? [] : [{ source: other.source, ...same }];
              })
              .slice(0, 4)
              .map(({ source, weight: also }) => (
                <span key={source}>
                  {" · "}
                  <TokenText text={flow.tokens[source]?.text ?? ""} /> {percent(also)}
                </span>
              ))}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Updates({ edge }: { edge: FlowEdge }) {
  const traced = useTrace();
  const here = traced.position === edge.target && !traced.stale;
  if (!here) {
    return (
      <p className={css.note}>
        <button
          type="button"
          className="button small"
          onClick={() => setView({ layer: edge.layer, position: edge.target })}
        >
          Go to position {edge.target}
        </button>{" "}
        to see its value vectors there.
      </p>
    );
  }
  const values = shownSide(traced)?.layers[edge.layer]?.values ?? [];
  if (values.length === 0) return <Empty title="No value vectors here" />;
  const most = Math.max(...values.map(({ score }) => score), 1e-9);
  return (
    <ul className={css.heads} aria-label="Value vectors of the feed-forward">
      {values.map(({ value, coefficient, norm, score, promotes }) => (
        <li key={value} className={css.head} title={`coefficient ${signed(coefficient)} · length ${short(norm)}`}>
          <button type="button" data-rove tabIndex={-1} aria-label={`Open ${value}`} onClick={() => openUnit(value)}>
            <span className="chip-bar" style={{ width: `${(score / most) * 100}%` }} />
            <b className="mono">{value}</b>
            <span className="token muted">{(promotes ?? []).slice(0, 3).map(visible).join(" ")}</span>
            <span className={css.figure}>{signed(coefficient)}</span>
          </button>
          <EditMenu unit={value} quiet roving />
        </li>
      ))}
    </ul>
  );
}
