// Where two runs part: the layer, the part and the units that tip the answer, the leads as a map, and the swaps that prove it.
import type { Bisection } from "../../api/types";
import { alikeSaid, placeSaid, strengthOfLead, type Sides } from "../../domain/bisect";
import { percent, short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { useNames } from "../../run/names";
import { openUnit } from "../../run/unit";
import { useBisection } from "../../run/usePatch";
import { setView, useView } from "../../run/view";
import { Empty, Warning } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { EditMenu } from "../unit/EditMenu";
import { Answered } from "./Answered";
import { Legend } from "./Lead";
import { PatchCells } from "./PatchCells";
import css from "./patch.module.css";

/** Units named; of more, the number is told. */
const UNITS = 8;

export function BisectAnswer() {
  const { possible, sides, other, read, length, ...asked } = useBisection();
  if (!possible) {
    return (
      <Empty title="Where do two runs part?">
        Write another prompt, or make an edit so that A and B differ: the layer, the part and the units at which the
        answer tips are searched, each step with a swap that proves it.
      </Empty>
    );
  }
  return (
    <Answered asked={asked} doing="Looking for the place where the answer tips…">
      {(found) => <Answer {...{ found, sides, read, length }} models={other !== null} />}
    </Answered>
  );
}

interface AnswerProps {
  found: Bisection;
  sides: Sides;
  /** Whether it is of two models. */
  models: boolean;
  /** Whose prediction was asked about; and how many tokens the page's run has: two models may have written more. */
  read: number;
  length: number;
}

function Answer({ found, sides: { here, there }, models, read, length }: AnswerProps) {
  const { layer, position } = useView();
  const { answer, other, part, flips } = found;
  const alike = models ? alikeSaid(found) : "";
  const [cells, frontier, positions] = [found.cells ?? [], found.frontier ?? [], found.positions ?? []];
  // Of another text only the stream where the prediction is read is taken over: a column says that already.
  const several = frontier.some((lead, row) => lead !== cells[row]?.[found.read]);
  return (
    <>
      <p className={css.said}>
        {alike !== "" && <span className="muted">{alike} ·</span>}
        {here} <TokenText text={answer.text} /> <b>{percent(answer.probability)}</b>
        <span className="muted"> · {there}</span> <TokenText text={other.text} />{" "}
        <span className="muted">({percent(other.probability)} here)</span>
        {part !== null && <Legend from={signed(other.logit - answer.logit)} to="flips" />}
      </p>
      {part !== null && (
        <p className={css.said} role="group" aria-label="Where it tips">
          <span className="muted">tips in</span> <b>{placeSaid(found)}</b>
          {found.position !== null && <Where found={found} positions={positions} />}
          <Units units={found.units} />
          {flips && <span className="muted">· taken over, the answer flips</span>}
        </p>
      )}
      {part !== null && !flips && <Warning>No swap that was run flips the answer.</Warning>}
      {cells.length > 0 && (
        <PatchCells
          label={`Lead of the other answer with the stream after a layer taken over, by layer and position`}
          columns={(found.tokens ?? []).map(({ text }) => visible(text))}
          rows={cells}
          {...(several && { last: { name: "all", values: frontier } })}
          strength={(value) => strengthOfLead(found, value)}
          write={short}
          chosen={{ layer, column: position }}
          marked={(row, column) => row === found.layer && (column === null || positions.includes(column))}
          foremost={found.position}
          onChoose={(row, column) =>
            setView({ layer: row, ...(column === null || column >= length ? {} : { position: column, read }) })
          }
        />
      )}
      <Proof swaps={found.swaps ?? []} />
    </>
  );
}

function Where({ found, positions }: { found: Bisection; positions: readonly number[] }) {
  const at = found.position ?? 0;
  return (
    <span className="muted">
      {positions.length > 1 && `at ${positions.length} positions, most `}
      at <TokenText text={found.tokens?.[at]?.text ?? ""} /> {at}
    </span>
  );
}

function Units({ units }: { units: readonly string[] }) {
  const names = useNames();
  return (
    <>
      {units.slice(0, UNITS).map((unit) => (
        <span key={unit} className={css.unit}>
          <button
            type="button"
            className="button small quiet mono"
            onClick={() => openUnit(unit)}
            aria-label={`Open ${unit}`}
          >
            {names.get(unit) ?? unit}
          </button>
          <EditMenu unit={unit} name={names.get(unit)} quiet />
        </span>
      ))}
      {units.length > UNITS && <span className="muted">and {units.length - UNITS} more</span>}
    </>
  );
}

function Proof({ swaps }: { swaps: NonNullable<Bisection["swaps"]> }) {
  if (swaps.length === 0) return null;
  return (
    <details className={css.proof}>
      <summary>Proved by {swaps.length === 1 ? "1 swap" : `${swaps.length} swaps`}</summary>
      <ol aria-label="Swaps that were run">
        {swaps.map(({ what, lead, flips }, index) => (
          <li key={index} data-flips={flips}>
            <span>{flips ? "flips" : "stays"}</span>
            <b>{signed(lead)}</b>
            <span>{what}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}
