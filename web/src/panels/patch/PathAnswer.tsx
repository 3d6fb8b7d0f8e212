// The paths to a part: each cell is the run with that part reading the other run's value of one earlier part, and nothing else.
import type { PathMap } from "../../api/types";
import { parseUnitName } from "../../domain/names";
import { short } from "../../domain/numbers";
import { senderMap, strengthOf } from "../../domain/patching";
import { openUnit } from "../../run/unit";
import { OUTPUT, usePaths } from "../../run/usePatch";
import { setView, useView } from "../../run/view";
import { Empty } from "../../ui/notes";
import { Answered } from "./Answered";
import { Lead } from "./Lead";
import { PatchCells } from "./PatchCells";

export function PathAnswer() {
  const { source } = useView();
  const asked = usePaths();
  if (source === "") {
    return (
      <Empty title="By which paths do two prompts part?">
        Write another prompt: one part, such as a head or the output, reads what earlier parts give there, one at a
        time, while all else stays as it is here.
      </Empty>
    );
  }
  return (
    <Answered asked={asked} doing="Patching one path after the other…">
      {(map) => <Senders map={map} />}
    </Answered>
  );
}

function Senders({ map }: { map: PathMap }) {
  const { layer, value } = useView();
  const { columns, rows } = senderMap(map.paths);
  const { difference, other_difference, receiver } = map;
  const ends = { difference, other_difference, cells: rows };
  const unit = parseUnitName(value);
  const asks = unit !== null && unit.layer > 0 && value !== receiver;
  return (
    <>
      <Lead of={map}>
        by what <b>{receiver === OUTPUT ? "the output" : receiver}</b> reads
        {asks && (
          <button type="button" className="button small" onClick={() => setView({ receiver: value })}>
            Paths to {value}
          </button>
        )}
      </Lead>
      {rows.length === 0 ? (
        <Empty title="Nothing before it can be read" />
      ) : (
        <PatchCells
          label={`Difference in logits with what ${receiver} reads of one part patched, by layer`}
          columns={columns}
          rows={rows}
          strength={(cell) => strengthOf(ends, cell)}
          write={short}
          chosen={{ layer, column: unit?.kind === "head" && unit.layer === layer ? unit.dimension : null }}
          onChoose={(row, column) => {
            setView({ layer: row });
            if (column !== null && columns[column] !== "feed-forward") openUnit(`L${row}H${column}`);
          }}
        />
      )}
    </>
  );
}
