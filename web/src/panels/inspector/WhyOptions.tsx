// How the question why is put: estimated by which method, with what in a part's place, heads split by the tokens they read.
// Folded away: the defaults are those that the experiments speak for.
import { useState } from "react";
import type { WhyAnswer } from "../../api/types";
import { short } from "../../domain/numbers";
import { setView, useView } from "../../run/view";
import css from "./inspector.module.css";

const ABLATIONS = { zero: "zero", mean: "its mean over text", resample: "its value for another prompt" } as const;

export function WhyOptions({ answer }: { answer: WhyAnswer | null }) {
  const { estimate, ablate, resample, sources } = useView();
  const [text, setText] = useState(resample);
  const changed = estimate !== "default" || ablate !== "zero" || sources;
  const method = answer?.method ?? null;
  const agreement = answer?.agreement ?? null;
  return (
    <details className={css.how}>
      <summary>
        How it is measured{changed && <b> · changed</b>}
        {agreement !== null && (
          <span title="Correlation of estimate and measured"> · estimate agrees {short(agreement)}</span>
        )}
      </summary>
      <label>
        <span>estimate by</span>
        <select
          className="field"
          value={estimate}
          onChange={(event) => setView({ estimate: event.target.value as typeof estimate })}
        >
          <option value="default">
            {estimate === "default" && method !== null ? `default: ${method}` : "default"}
          </option>
          <option value="gradient">gradient × activation</option>
          <option value="integrated">integrated gradients</option>
          <option value="relevance">relevance</option>
        </select>
      </label>
      <label>
        <span>in a part’s place</span>
        <select
          className="field"
          value={ablate}
          onChange={(event) => setView({ ablate: event.target.value as typeof ablate })}
        >
          {Object.entries(ABLATIONS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {ablate === "resample" && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setView({ resample: text });
          }}
        >
          <input
            className="field mono"
            aria-label="The other prompt"
            placeholder="another prompt ↵"
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="button small" disabled={text === "" || text === resample}>
            Use
          </button>
        </form>
      )}
      <label>
        <input type="checkbox" checked={sources} onChange={(event) => setView({ sources: event.target.checked })} />
        <span>what heads brought from each token</span>
      </label>
    </details>
  );
}
