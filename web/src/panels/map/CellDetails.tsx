// What hovering over a cell shows: its numbers at once, and the five most probable tokens when they are there.
import { useQuery } from "@tanstack/react-query";
import { traceQuery } from "../../api/queries";
import type { LensGrid } from "../../api/types";
import { useDebounced } from "../../ui/hooks";
import { percent, points, short, thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { useCurrentSession } from "../../run/context";
import { textAt } from "../../domain/cells";

interface Props {
  grid: LensGrid;
  /** The base run's grid, where there is one to compare with. */
  other: LensGrid | null;
  cell: { layer: number; position: number; x: number; y: number };
}

const REST = 140;
const LISTED = 10;
const SHOWN = 5;
/** What the grid rounds to 0 is not nothing. */
const SMALLEST = 1e-7;

export function CellDetails({ grid, other, cell }: Props) {
  const { run, compare } = useCurrentSession();
  const { layer, position } = cell;
  const resting = useDebounced(position, REST);
  const view = useQuery({ ...traceQuery(run, resting, LISTED), placeholderData: undefined });
  const data = resting === position ? view.data : undefined;
  const lists = compare === "base" ? data?.baseline?.layers : data?.layers;
  const top = lists?.[layer]?.after.slice(0, SHOWN);
  const probability = grid.probability[layer]?.[position] ?? 0;
  const baseText = other === null ? null : textAt(other, layer, position);
  const text = textAt(grid, layer, position);
  const left = Math.min(cell.x + 14, window.innerWidth - 250);
  const below = cell.y + 190 < window.innerHeight;
  return (
    <div className="cell-details" style={{ left, top: below ? cell.y + 14 : cell.y - 190 }} aria-hidden>
      <p className="muted">
        layer {grid.layers[layer]} · position {position} <TokenText text={grid.tokens[position]?.text ?? ""} />
      </p>
      {(top ?? [{ id: -1, text, probability }]).map((token) => (
        <p key={token.id} className="cell-token">
          <span className="chip-bar" style={{ width: `${token.probability * 100}%` }} />
          <TokenText text={token.text} />
          <span>{percent(token.probability)}</span>
        </p>
      ))}
      <p className="muted">entropy {short(grid.entropy[layer]?.[position] ?? 0)} nats</p>
      {grid.token && (
        <p className="muted">
          <TokenText text={grid.token.text} /> rank {thousands(grid.token.rank[layer]?.[position] ?? 0)} ·{" "}
          {percent(grid.token.probability[layer]?.[position] || SMALLEST)}
        </p>
      )}
      {other !== null && baseText !== null && (
        <p className="muted">
          base <TokenText text={baseText} /> {percent(other.probability[layer]?.[position] ?? 0)}
          {baseText === text && ` (Δ ${points(probability - (other.probability[layer]?.[position] ?? 0))})`}
        </p>
      )}
    </div>
  );
}
