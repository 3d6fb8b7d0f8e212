// The prediction at the chosen position: its most probable tokens in both runs, and how far apart they are. A click on
// one asks why; its dot follows it through the layers.
import { ChevronDown, ChevronUp } from "lucide-react";
import { useState } from "react";
import { change, nats, percent } from "../../domain/numbers";
import { PROBABILITY } from "../../domain/scale";
import { visible } from "../../domain/visible";
import { followStyle, useFollowed } from "../../run/follow";
import { useTarget } from "../../run/target";
import { useTrace } from "../../run/useTrace";
import { setView } from "../../run/view";
import { ComparisonTable, type ComparedRow } from "../../ui/ComparisonTable";
import { Empty, Warning } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { Stale } from "../../ui/Stale";
import { TokenText } from "../../ui/TokenText";
import { WritersOfPrediction } from "../links/WritersLink";
import css from "./inspector.module.css";

const BRIEF = 5;
const MOST = 12;

export function Prediction() {
  const { data, sideA, sideB, comparison, compared, show, stale, failure, lens, aLens } = useTrace();
  const followed = useFollowed();
  const { target } = useTarget();
  const group = useRoving<HTMLElement>();
  const [all, setAll] = useState(false);
  if (data === undefined) return failure === null ? <Empty title="No prediction yet" /> : null;
  const token = data.tokens[data.position];
  const next = data.tokens[data.position + 1];
  const found = comparison
    ? comparison.tokens.map((one) => ({
        ...{ id: one.id, text: one.text, a: one.probability_before, b: one.probability_after },
        ranks: `rank ${one.rank_before} → ${one.rank_after}`,
      }))
    : ((show === "base" ? sideA : sideB)?.output ?? []).map(({ id, text, probability }) => ({
        ...{ id, text, a: probability, b: probability, ranks: undefined },
      }));
  const by = { base: "a", edited: "b", difference: null }[show] as "a" | "b" | null;
  const sorted = [...found].sort((x, y) => (by === null ? Math.abs(y.b - y.a) - Math.abs(x.b - x.a) : y[by] - x[by]));
  const rows: ComparedRow[] = sorted.slice(0, all ? MOST : BRIEF).map(({ id, text, a, b, ranks }) => ({
    ...{ key: id, a, b, title: ranks, selected: target?.id === id },
    head: (
      <span className={css.token}>
        <button
          type="button"
          className={css.dot}
          data-rove
          tabIndex={-1}
          aria-pressed={followed.colours.has(id)}
          aria-label={`Follow ${visible(text)}`}
          title="Follow through the layers"
          style={followStyle(followed.colours.get(id))}
          onClick={() => followed.toggle(id)}
        />
        <button
          type="button"
          className={css.name}
          data-rove
          tabIndex={-1}
          aria-label={`Why ${visible(text)}`}
          title="Who wrote it?"
          onClick={() => setView({ target: id, inspect: "why" })}
        >
          <TokenText text={text} />
        </button>
      </span>
    ),
  }));
  return (
    <section ref={group} className={css.prediction} aria-labelledby="output-title" data-stale={stale}>
      <h2 id="output-title" className="section-title">
        Next token
        <span className="grow" />
        {stale ? (
          <Stale what="the run before" />
        ) : (
          comparison && (
            <span className={css.kl} title="Kullback-Leibler divergence of B's prediction from A's, in nats">
              KL {nats(comparison.kl)} nats
            </span>
          )
        )}
      </h2>
      <p className={css.where}>
        after position {data.position} <TokenText text={token?.text ?? ""} />
        {next !== undefined && (
          <>
            , where the text goes on with <TokenText text={next.text} />
          </>
        )}
      </p>
      {comparison && !comparison.changed && (
        <Warning>
          {lens === aLens
            ? "The edits leave every prediction as it was."
            : "The same run through two lenses: what it says is the same, how its layers read differs."}
        </Warning>
      )}
      <div>
        <ComparisonTable
          label="Next tokens"
          head="token"
          value={show === "base" && compared ? "A" : "probability"}
          rows={rows}
          compared={comparison !== null}
          show={show}
          scale={relative(rows)}
          write={percent}
          writeBoth={change}
          floor={5e-5}
        />
      </div>
      <div className={css.more}>
        <WritersOfPrediction />
        <span className="grow" />
        {sorted.length > BRIEF && (
          <button
            type="button"
            data-rove
            tabIndex={-1}
            className="button small quiet"
            aria-expanded={all}
            onClick={() => setAll(!all)}
          >
            {all ? "fewer" : "more"} {all ? <ChevronUp aria-hidden /> : <ChevronDown aria-hidden />}
          </button>
        )}
      </div>
    </section>
  );
}

/** Bars as parts of the largest probability shown. */
function relative(rows: readonly ComparedRow[]) {
  const most = Math.max(...rows.flatMap(({ a, b }) => [a ?? 0, b ?? 0]), 0.01);
  return { ...PROBABILITY, place: (value: number) => PROBABILITY.place(value / most) };
}
