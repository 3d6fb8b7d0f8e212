// What a vector does to a prediction, before it is made an edit: switched on or off on a prompt, the prediction and a
// greedy continuation with it and without.
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { generateQuery } from "../../api/generation";
import { examplesQuery, traceQuery } from "../../api/queries";
import type { CoefficientRange, Comparison } from "../../api/types";
import { ComparisonTable } from "../../ui/ComparisonTable";
import { Segments } from "../../ui/controls";
import { useDebounced } from "../../ui/hooks";
import { ErrorNote } from "../../ui/notes";
import { change, percent } from "../../domain/numbers";
import { PROBABILITY } from "../../domain/scale";
import type { Run } from "../../domain/run";
import { TokenText } from "../../ui/TokenText";
import { addToEdits } from "../../run/edits";
import { formatEdit, type Edit } from "../../domain/edit";
import { StrengthSlider } from "../edits/StrengthSlider";
import { atSlider } from "../../domain/units";
import { SideBySide } from "./SideBySide";
import css from "./unit.module.css";
import { useView } from "../../run/view";

const DEBOUNCE = 250;
const LISTED = 8;
const CONTINUED = 20;

const CHOICES = [
  { value: "-1", label: "on\u2212", title: "Its own 0.1 % quantile" },
  { value: "0", label: "off", title: "Coefficient 0" },
  { value: "1", label: "on", title: "Its own 99.9 % quantile" },
] as const;
const WORDS: Record<string, Edit["operation"]> = { "-1": "on-", "0": "off", "1": "on" };

/** The edit at a strength: before the range is measured there are only the words. */
function editAt(value: string, units: number, range: CoefficientRange | null): Edit {
  const word = WORDS[String(units)];
  const change =
    range === null || word !== undefined ? { operation: word ?? "on", amount: null } : atSlider(units, range);
  return { value, scope: "all", ...change };
}

/** The strength is kept from vector to vector. */
export function TryIt({ value, range }: { value: string; range: CoefficientRange | null }) {
  const view = useView();
  const examples = useQuery(examplesQuery()).data?.prompts;
  const [written, write] = useState<string | null>(null);
  const [units, setUnits] = useState<number | null>(null);
  const prompt = written ?? (view.prompt || examples?.[0] || "");
  const edit = units === null ? null : editAt(value, units, range);
  const text = useDebounced(edit === null ? "" : formatEdit(edit), DEBOUNCE);
  const asked = useDebounced(prompt, DEBOUNCE);
  const run: Run | null =
    text === "" || asked === "" || !text.startsWith(value) ? null : { prompt: asked, interventions: [text] };
  const trace = useQuery(traceQuery(run, -1, LISTED));
  const continuation = useQuery(generateQuery(trace.isSuccess ? run : null, CONTINUED));
  const error = run === null ? null : (trace.error ?? continuation.error);
  return (
    <section className={css.card} aria-labelledby="try-title">
      <h2 id="try-title" className="section-title">
        Try it
      </h2>
      <input
        className="field mono"
        aria-label="Prompt to try it on"
        spellCheck={false}
        value={prompt}
        onChange={(event) => write(event.target.value)}
      />
      <div className={css.tryLine}>
        <Segments
          label={`Set ${value}`}
          value={units === null ? "" : String(units)}
          options={CHOICES.map((choice) => ({ ...choice, value: choice.value as string }))}
          onChange={(next) => setUnits(Number(next))}
        />
        {range !== null && <StrengthSlider value={value} range={range} place={units} onChange={setUnits} />}
        <button
          type="button"
          className="button primary small"
          disabled={edit === null}
          onClick={() => edit !== null && addToEdits([edit])}
        >
          <Plus aria-hidden />
          Add to edits
        </button>
      </div>
      {error !== null && <ErrorNote failure={error} />}
      {run === null ? (
        <p className="muted">Switch it on or off to see what it does to this prompt, alone.</p>
      ) : (
        <div aria-busy={trace.isFetching || continuation.isFetching} className={css.tryAnswer}>
          {trace.data?.comparison && <Change comparison={trace.data.comparison} />}
          {continuation.data && (
            <SideBySide base={continuation.data.baseline?.tokens ?? null} edited={continuation.data.tokens} />
          )}
        </div>
      )}
    </section>
  );
}

function Change({ comparison }: { comparison: Comparison }) {
  const rows = comparison.tokens.slice(0, LISTED);
  const most = Math.max(...rows.flatMap(({ probability_before: a, probability_after: b }) => [a, b]), 0.01);
  return (
    <ComparisonTable
      label="The prediction without it and with it"
      head="next token"
      value="probability"
      rows={rows.map(({ id, text, probability_before: a, probability_after: b }) => ({
        ...{ key: id, a, b },
        head: <TokenText text={text} />,
      }))}
      compared
      show="difference"
      names={{ a: "without", b: "with" }}
      scale={{ ...PROBABILITY, place: (value) => PROBABILITY.place(value / most) }}
      write={percent}
      writeBoth={change}
      floor={5e-5}
    />
  );
}
