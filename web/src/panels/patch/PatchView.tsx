// Where two prompts part: each cell is the run with one activation of another prompt in its place, coloured by how far
// that brings the difference in logits to the other run's.
import { useState } from "react";
import type { PatchMap } from "../../api/types";
import { strengthOf } from "../../domain/patching";
import { short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { useRunAgain } from "../../run/again";
import { usePatch } from "../../run/usePatch";
import { openUnit } from "../../run/unit";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { PatchCells } from "./PatchCells";
import css from "./patch.module.css";

export function PatchView() {
  const { source, part, map, failure, waiting, stale, stopped, retry } = usePatch();
  const { aPrompt } = useView();
  const [text, setText] = useState(source || aPrompt);
  const again = useRunAgain();
  return (
    <div className={css.patch}>
      <form
        className={css.ask}
        onSubmit={(event) => {
          event.preventDefault();
          if (text !== source) setView({ source: text });
          else again();
        }}
      >
        <label htmlFor="patch-from" className="muted">
          from
        </label>
        <input
          id="patch-from"
          className="field mono"
          placeholder="another prompt, best of the same length"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="button small" disabled={text === ""}>
          Patch
        </button>
        <Segments
          label="Part that is patched"
          value={part}
          options={[
            { value: "residual", label: "Residual", title: "The stream after a layer" },
            { value: "attention", label: "Attention", title: "What its attention gives" },
            { value: "ffn", label: "Feed-forward", title: "What its feed-forward gives" },
            { value: "heads", label: "Heads", title: "What one head gives, at all positions" },
          ]}
          onChange={(next) => setView({ part: next })}
        />
      </form>
      {failure !== null && <ErrorNote failure={failure} onRetry={retry} />}
      {stopped && (
        <Warning>
          Cancelled.{" "}
          <button type="button" className="button small" onClick={again}>
            Run
          </button>
        </Warning>
      )}
      {source === "" && failure === null && (
        <Empty title="Where do two prompts part?">
          Write another prompt: its activations are put into this run, one at a time, and the map tells which of them
          turn the answer.
        </Empty>
      )}
      {source !== "" && map === undefined && waiting && <Empty title="Putting the other run’s activations in…" />}
      {map !== undefined && <Answer map={map} old={stale || waiting} />}
    </div>
  );
}

function Answer({ map, old }: { map: PatchMap; old: boolean }) {
  const { layer, position } = useView();
  const { target, against, difference, other_difference: other, part } = map;
  const heads = part === "heads";
  const columns = heads
    ? Array.from({ length: Math.max(...map.cells.map((row) => row.length), 0) }, (_, head) => `H${head}`)
    : map.tokens.map(({ text }) => visible(text));
  return (
    <div className={css.answer} data-stale={old} aria-busy={old}>
      <p className={css.said}>
        logit of <TokenText text={target.text} />
        {against !== null && (
          <>
            {" "}
            minus <TokenText text={against.text} />
          </>
        )}
        : <b>{signed(difference)}</b> here, <b>{other === null ? "–" : signed(other)}</b> in the other run ·{" "}
        <span className="muted">{map.alignment}</span>
        <Legend difference={difference} other={other} />
      </p>
      {map.warnings.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
      <PatchCells
        label={`Difference in logits with ${heads ? "a head" : `the ${part}`} patched, by layer and ${heads ? "head" : "position"}`}
        columns={columns}
        rows={map.cells}
        last={{ name: "all", values: map.together }}
        strength={(value) => strengthOf(map, value)}
        write={short}
        chosen={{ layer, column: heads ? null : position }}
        onChoose={(row, column) => {
          setView({ layer: row });
          if (heads && column !== null) openUnit(`L${row}H${column}`);
          else if (column !== null) setView({ position: column });
        }}
      />
    </div>
  );
}

function Legend({ difference, other }: { difference: number; other: number | null }) {
  if (other === null) return null;
  return (
    <span className={css.legend} aria-hidden>
      <i style={{ background: "rgb(var(--heat-down) / 0.5)" }}>away</i>
      <i>{signed(difference)}</i>
      <i style={{ background: "rgb(var(--heat-up) / 0.6)" }}>{signed(other)}</i>
    </span>
  );
}
