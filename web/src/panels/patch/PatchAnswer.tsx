// A patch map: each cell is the run with one activation of another prompt in its place, coloured by how far that brings the
// difference in logits to the other run's.
import type { PatchMap } from "../../api/types";
import { strengthOf } from "../../domain/patching";
import { STRONGEST } from "../../domain/scale";
import { short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { openUnit } from "../../run/unit";
import { usePatch } from "../../run/usePatch";
import { setView, useView } from "../../run/view";
import { Empty } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { Answered } from "./Answered";
import { PatchCells } from "./PatchCells";
import css from "./patch.module.css";

export function PatchAnswer({ part }: { part: PatchMap["part"] }) {
  const { source } = useView();
  const asked = usePatch(part);
  if (source === "") {
    return (
      <Empty title="Where do two prompts part?">
        Write another prompt: its activations are put into this run, one at a time, and the map tells which of them turn
        the answer.
      </Empty>
    );
  }
  return (
    <Answered asked={asked} doing="Putting the other run’s activations in…">
      {(map) => <Map map={map} />}
    </Answered>
  );
}

function Map({ map }: { map: PatchMap }) {
  const { layer, position } = useView();
  const { target, against, difference, other_difference: other, part } = map;
  const heads = part === "heads";
  const columns = heads
    ? Array.from({ length: Math.max(...map.cells.map((row) => row.length), 0) }, (_, head) => `H${head}`)
    : map.tokens.map(({ text }) => visible(text));
  return (
    <>
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
        {other !== null && <Legend from={signed(difference)} to={signed(other)} />}
      </p>
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
          else if (column !== null) setView({ position: column, read: map.position });
        }}
      />
    </>
  );
}

/** Colours from this run's number to the other's. */
export function Legend({ from, to }: { from: string; to: string }) {
  return (
    <span className={css.legend} aria-hidden>
      <i style={{ background: `rgb(var(--heat-down) / ${STRONGEST})` }}>away</i>
      <i>{from}</i>
      <i style={{ background: `rgb(var(--heat-up) / ${STRONGEST})` }}>{to}</i>
    </span>
  );
}
