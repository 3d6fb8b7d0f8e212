// The vectors found, to be opened, selected and added as edits.
import { Plus } from "lucide-react";
import { useState } from "react";
import type { SearchAnswer } from "../../api/types";
import { thousands } from "../../domain/numbers";
import { addToEdits, editsOf } from "../../run/edits";
import { useView } from "../../run/view";
import { ResultRow } from "./ResultRow";
import { editOf } from "../../domain/scores";
import css from "./explore.module.css";

export function Results({ answer }: { answer: SearchAnswer }) {
  const { results, measure, keywords } = answer;
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const [concept, setConcept] = useState("");
  const { edits } = useView();
  const chosen = results.filter(({ value }) => selected.has(value));
  const sought = new Set(
    keywords.filter(({ unwanted }) => !unwanted).flatMap(({ forms }) => forms.filter(({ used }) => used).map(textOf)),
  );
  const most = Math.max(...results.map(({ score }) => Math.abs(score)), 1e-9);
  const toggle = (value: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(value);
    else next.delete(value);
    select(next);
  };
  return (
    <>
      <div className={css.resultsHead}>
        <label>
          <input
            type="checkbox"
            checked={chosen.length === results.length}
            ref={(box) => {
              if (box !== null) box.indeterminate = chosen.length > 0 && chosen.length < results.length;
            }}
            onChange={(event) => select(new Set(event.target.checked ? results.map(({ value }) => value) : []))}
          />
          Select all
        </label>
        <span className="muted">
          {results.length} of {thousands(answer.searched)} value vectors
        </span>
        <span className="grow" />
        {chosen.length > 1 && (
          <input
            className="field"
            aria-label="Name of a concept for them, if wanted"
            placeholder="as a concept called…"
            maxLength={60}
            value={concept}
            onChange={(event) => setConcept(event.target.value)}
          />
        )}
        <button
          type="button"
          className="button primary small"
          disabled={chosen.length === 0}
          onClick={() => {
            addToEdits(
              chosen.map((result) => editOf(result, measure)),
              chosen.length > 1 ? concept : "",
            );
            select(new Set());
          }}
        >
          <Plus aria-hidden />
          {chosen.length === 0 ? "Add selected to edits" : `Add ${chosen.length} to edits`}
        </button>
      </div>
      <ol className={css.results} aria-label="Value vectors found">
        {results.map((result) => (
          <ResultRow
            key={result.value}
            result={result}
            measure={measure}
            part={Math.abs(result.score) / most}
            sought={sought}
            edited={editsOf(edits, result.value)}
            selected={selected.has(result.value)}
            onSelect={toggle}
          />
        ))}
      </ol>
    </>
  );
}

const textOf = ({ text }: { text: string }): string => text;
