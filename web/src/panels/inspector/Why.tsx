// Who wrote this token: heads and value vectors of all layers, ranked by the server by their direct effect on its logit,
// or on its lead over another token.
import { useQuery } from "@tanstack/react-query";
import { ArrowLeftRight } from "lucide-react";
import type { Token, WhyAnswer, WhyPart } from "../../api/types";
import { whyQuery } from "../../api/why";
import { asApiError } from "../../domain/failure";
import { canonicalName } from "../../domain/names";
import { short, signed } from "../../domain/numbers";
import { diverging } from "../../domain/scale";
import { visible } from "../../domain/visible";
import { sourcesSaid } from "../../domain/why";
import { wasGivenUp } from "../../run/again";
import { useNames } from "../../run/names";
import { useTarget } from "../../run/target";
import { openUnit } from "../../run/unit";
import { useTrace } from "../../run/useTrace";
import { setView, useView, useViewPart } from "../../run/view";
import { ComparisonTable, type ComparedRow } from "../../ui/ComparisonTable";
import { IconButton } from "../../ui/controls";
import { Empty, ErrorNote } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { Stale } from "../../ui/Stale";
import { Cancelled } from "../shell/Waiting";
import { EditMenu } from "../unit/EditMenu";
import { TokenPicker } from "./TokenPicker";
import { WhyOptions } from "./WhyOptions";
import css from "./inspector.module.css";

const MOST = 40;
/** Parts that are switched off to measure what they do. */
const VERIFIED = 10;

export function Why() {
  const traced = useTrace();
  const { a, b, position, aPosition, show, compared, data, stale, sideA, sideB } = traced;
  const { target, versus } = useTarget();
  const view = useView();
  const { estimate, ablate, resample, sources } = view;
  const verify = view.verify ? VERIFIED : 0;
  const options = { verify, estimate, ablate, resample, sources };
  const question = useRoving<HTMLDivElement>();
  const group = useRoving<HTMLDivElement>();
  const wantsA = compared && show !== "edited";
  const wantsB = !wantsA || show === "difference";
  const ready = data !== undefined && !stale;
  const ask = (wanted: boolean, run: typeof a, at: number) =>
    whyQuery(wanted && ready ? run : null, at, target?.id ?? null, versus?.id ?? null, options);
  const ofA = useQuery(ask(wantsA, a, aPosition));
  const ofB = useQuery(ask(wantsB, b, position));
  const failure = (wantsB ? ofB.error : null) ?? (wantsA ? ofA.error : null);
  const answers = { a: wantsA ? (ofA.data ?? null) : null, b: wantsB ? (ofB.data ?? null) : null };
  const answer = answers.b ?? answers.a;
  const old = stale || (wantsA && ofA.isPlaceholderData) || (wantsB && ofB.isPlaceholderData);
  const givenUp = (wantsA && wasGivenUp(ofA)) || (wantsB && wasGivenUp(ofB));
  if (target === null) return <Empty title="Nothing to explain yet" />;
  const candidates = [...(sideB?.output ?? []), ...(sideA?.output ?? [])];
  return (
    <section className={css.why} aria-label="Why">
      <div className={css.question} ref={question}>
        <TokenPicker
          label="Explain"
          chosen={target}
          tokens={candidates}
          rove
          onChoose={(id) => setView({ target: id })}
        />
        <span className="muted">against</span>
        <TokenPicker
          label="Against"
          chosen={versus}
          tokens={candidates}
          none="nothing"
          rove
          onChoose={(id) => setView({ target: target.id, versus: id })}
        />
        <IconButton
          label="Swap the tokens"
          rove
          className="small"
          disabled={versus === null}
          onClick={() => versus !== null && setView({ target: versus.id, versus: target.id })}
        >
          <ArrowLeftRight aria-hidden />
        </IconButton>
      </div>
      <WhyOptions answer={answer} />
      {givenUp && <Cancelled />}
      {failure !== null ? (
        <Unanswered failure={failure} />
      ) : answer === null ? (
        !givenUp && <Empty title="Adding up what every unit wrote…" />
      ) : (
        <div ref={group} data-stale={old}>
          <p className={css.where}>
            {versus === null ? "logit" : "lead in logits"}{" "}
            <b>
              {answers.a !== null && answers.b !== null
                ? `${signed(answers.a.difference)} → ${signed(answers.b.difference)}`
                : signed(answer.difference)}
            </b>
            {old ? <Stale what=" the question before" /> : <Sum answer={answer} />}
            <button
              type="button"
              className={`button small ${css.verify}`}
              data-rove
              tabIndex={-1}
              aria-pressed={verify > 0}
              title={`Ablate the ${VERIFIED} likeliest parts, one by one, and measure what that does`}
              onClick={() => setView({ verify: verify === 0 })}
            >
              Verify
            </button>
          </p>
          <Parts answers={answers} />
        </div>
      )}
    </section>
  );
}

/** Whether the parts make up the whole. */
function Sum({ answer }: { answer: WhyAnswer }) {
  const exact = Math.abs(answer.unexplained) < 0.005;
  return (
    <span
      className="muted"
      title={`${answer.parts.length} parts, the rest ${signed(answer.rest)}, unexplained ${signed(answer.unexplained)}`}
    >
      {" "}
      · {exact ? "adds up exactly" : `unexplained ${signed(answer.unexplained)}`}
    </span>
  );
}

function Parts({ answers: { a, b } }: { answers: { a: WhyAnswer | null; b: WhyAnswer | null } }) {
  const names = useNames();
  const tokens = (b ?? a)?.tokens ?? [];
  const open = useViewPart("value");
  const both = a !== null && b !== null;
  const [inA, inB] = [a, b].map((answer) => new Map((answer?.parts ?? []).map((part) => [part.part, part])));
  const parts = [...new Map([...(inA ?? []), ...(inB ?? [])]).values()];
  const of = (side: Map<string, WhyPart> | undefined, part: WhyPart) => side?.get(part.part)?.effect ?? null;
  const moved = (part: WhyPart) => Math.abs((of(inB, part) ?? 0) - (of(inA, part) ?? 0));
  if (both) parts.sort((x, y) => moved(y) - moved(x));
  const listed = parts.slice(0, MOST);
  const effects = listed.flatMap((part) => [of(inA, part), of(inB, part)]).map((effect) => Math.abs(effect ?? 0));
  const most = Math.max(...effects, 1e-6);
  const scale = { ...diverging("logit", most / 1000, most, short), place: (value: number) => value / most };
  const rows: ComparedRow[] = listed.map((part) => ({
    ...{ key: part.part, a: of(inA, part), b: both ? of(inB, part) : part.effect, selected: open === part.part },
    title: titleOf(part),
    head: <PartName part={part} name={names.get(part.part)} tokens={tokens} />,
  }));
  const having = (of: (part: WhyPart) => number | null | undefined) =>
    new Map(parts.flatMap((part) => (typeof of(part) === "number" ? [[part.part, of(part) ?? 0] as const] : [])));
  const measured = having((part) => part.measured);
  const estimated = having((part) => part.estimate);
  const taken = TAKEN[(b ?? a)?.ablation ?? "zero"];
  const rest = { key: "rest", bare: true, head: <span className="muted">all other parts</span> };
  return (
    <ComparisonTable
      label="Parts by their direct effect"
      head="who"
      value="effect"
      rows={[...rows, { ...rest, a: a?.rest ?? null, b: (b ?? a)?.rest ?? null }]}
      compared={both}
      show="difference"
      scale={scale}
      write={signed}
      writeBoth={(x, y) => ({ a: signed(x), b: signed(y), delta: signed(y - x) })}
      floor={0.005}
      {...(measured.size > 0
        ? {
            extra: {
              head: "measured",
              title: `What the lead loses with the part ${taken} at all positions`,
              of: (key) => (measured.has(String(key)) ? signed(measured.get(String(key)) ?? 0) : ""),
            },
          }
        : estimated.size > 0 && {
            extra: {
              head: "estimate",
              title: `What the lead would lose with the part ${taken} at all positions`,
              of: (key) => (estimated.has(String(key)) ? signed(estimated.get(String(key)) ?? 0) : ""),
            },
          })}
    />
  );
}

const TAKEN = {
  zero: "switched off",
  mean: "at its mean over text",
  resample: "as for the other prompt",
} as const;

const titleOf = ({ part, kind, effect, estimate, measured, promotes }: WhyPart): string =>
  [
    `${part} · ${kind}`,
    `direct effect ${signed(effect)}`,
    typeof estimate === "number" ? `estimate of what is lost without it ${signed(estimate)}` : "",
    typeof measured === "number" ? `measured: ${signed(measured)}` : "",
    promotes?.length ? `promotes ${promotes.map(visible).join("  ")}` : "",
  ]
    .filter(Boolean)
    .join("\n");

interface PartProps {
  part: WhyPart;
  name: string | undefined;
  /** Those that sources point to. */
  tokens: readonly Token[];
}

function PartName({ part, name, tokens }: PartProps) {
  const unit = canonicalName(part.part);
  const promotes = (part.promotes ?? []).slice(0, 4).map(visible).join(" ");
  if (unit === null) return <span className={`mono ${css.part}`}>{part.part}</span>;
  return (
    <span className={css.part}>
      <button
        type="button"
        className={css.name}
        data-rove
        tabIndex={-1}
        aria-label={`Open ${unit}`}
        onClick={() => openUnit(unit)}
      >
        <b className={name === undefined ? "mono" : ""}>{name ?? unit}</b>{" "}
        <span className="token muted">
          {part.sources?.length ? `from ${sourcesSaid(part.sources, tokens)}` : promotes}
        </span>
      </button>
      <EditMenu unit={unit} name={name} quiet roving />
    </span>
  );
}

function Unanswered({ failure }: { failure: Error }) {
  const { status } = asApiError(failure);
  if (status === 404 || status === 405) {
    return <Empty title="This server does not explain tokens">Start a newer one to see who wrote them.</Empty>;
  }
  return <ErrorNote failure={failure} />;
}
