// A patch map: each cell is the run with one activation of another prompt in its place, coloured by how far that brings the
// difference in logits to the other run's.
import type { PatchMap } from "../../api/types";
import { strengthOf } from "../../domain/patching";
import { short } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { openUnit } from "../../run/unit";
import { usePatch } from "../../run/usePatch";
import { setView, useView } from "../../run/view";
import { Empty } from "../../ui/notes";
import { Answered } from "./Answered";
import { Lead } from "./Lead";
import { PatchCells } from "./PatchCells";

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
  const { part } = map;
  const heads = part === "heads";
  const columns = heads
    ? Array.from({ length: Math.max(...map.cells.map((row) => row.length), 0) }, (_, head) => `H${head}`)
    : map.tokens.map(({ text }) => visible(text));
  return (
    <>
      <Lead of={map}>
        <span className="muted">{map.alignment}</span>
      </Lead>
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
