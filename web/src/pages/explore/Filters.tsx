// Which vectors may be found: match, sign, layers, expert, named ones, how many.
import { useQuery } from "@tanstack/react-query";
import { modelQuery } from "../../api/queries";
import { lensName, LOGIT } from "../../domain/lens";
import { useLenses } from "../../run/lens";
import { Segments, Switch } from "../../ui/controls";
import { setExplore, useExplore } from "../../run/explore";
import css from "./explore.module.css";

export function Filters({ hasExperts }: { hasExperts: boolean }) {
  const state = useExplore();
  const forWords = state.like === "" && state.residual === null;
  return (
    <div className={css.filters} role="group" aria-label="Filters">
      {forWords && (
        <Segments
          label="How several keywords count"
          value={state.match}
          options={[
            { value: "all", label: "All words", title: "The mean over the keywords" },
            { value: "any", label: "Any word", title: "The strongest keyword" },
          ]}
          onChange={(match) => setExplore({ match })}
        />
      )}
      <Segments
        label="Sign of the coefficient"
        value={state.sign}
        options={[
          { value: "both", label: "±", title: "With either sign of the coefficient" },
          { value: "+", label: "+", title: "With a positive coefficient" },
          { value: "-", label: "\u2212", title: "With a negative coefficient" },
        ]}
        onChange={(sign) => setExplore({ sign })}
      />
      <Layers />
      <Through />
      {(hasExperts || state.expert !== null) && (
        <label>
          Expert
          <input
            className="field"
            type="number"
            min={0}
            placeholder="any"
            value={state.expert ?? ""}
            onChange={(event) => {
              const expert = event.target.valueAsNumber;
              setExplore({ expert: Number.isInteger(expert) && expert >= 0 ? expert : null });
            }}
          />
        </label>
      )}
      <span>
        <Switch label="Named only" checked={state.named} onCheckedChange={(named) => setExplore({ named })} />
        <span aria-hidden>Named only</span>
      </span>
      <Segments
        label="How many"
        value={state.limit}
        options={[
          { value: "20", label: "20" },
          { value: "50", label: "50" },
          { value: "100", label: "100" },
        ]}
        onChange={(limit) => setExplore({ limit })}
      />
    </div>
  );
}

/** The lens that vectors are seen through; there is a choice once one is fitted. */
function Through() {
  const { through } = useExplore();
  const { names } = useLenses();
  if (names.length === 1 && through === "") return null;
  return (
    <label>
      Through
      <select
        className="field"
        aria-label="Lens of the search"
        value={through === "" ? LOGIT : through}
        onChange={(event) => setExplore({ through: event.target.value === LOGIT ? "" : event.target.value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {lensName(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Layers() {
  const { layers } = useExplore();
  const { data } = useQuery(modelQuery(true));
  const last = (data?.model.layers ?? 1) - 1;
  const [from, to] = layers ?? [0, last];
  const choose = (first: number, final: number) => {
    if (!Number.isInteger(first) || !Number.isInteger(final) || first < 0 || final > last) return;
    setExplore({ layers: first === 0 && final === last ? null : [first, Math.max(first, final)] });
  };
  return (
    <span className="layers-filter">
      <span className="muted">Layers</span>
      <input
        className="field"
        type="number"
        aria-label="First layer"
        min={0}
        max={last}
        value={from}
        onChange={(event) => choose(event.target.valueAsNumber, Math.max(event.target.valueAsNumber, to))}
      />
      <span className="muted">to</span>
      <input
        className="field"
        type="number"
        aria-label="Last layer"
        min={0}
        max={last}
        value={to}
        onChange={(event) => choose(Math.min(from, event.target.valueAsNumber), event.target.valueAsNumber)}
      />
      {layers !== null && (
        <button type="button" className="button small" onClick={() => setExplore({ layers: null })}>
          All layers
        </button>
      )}
    </span>
  );
}
