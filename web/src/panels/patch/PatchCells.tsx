// A heat map of layers by columns as a table, the last layer on top: a cell says its number where there is room.
import { memo, useEffect } from "react";
import { STRONGEST } from "../../domain/scale";
import { useRoving } from "../../ui/roving";
import css from "./patch.module.css";

interface Props {
  label: string;
  columns: readonly string[];
  /** By layer. */
  rows: readonly (readonly (number | null)[])[];
  /** A column of its own at the end. */
  last?: { name: string; values: readonly (number | null)[] };
  strength: (value: number | null) => number;
  write: (value: number) => string;
  chosen: { layer: number | null; column: number | null };
  /** Cells that an answer is about. */
  marked?: (layer: number, column: number | null) => boolean;
  /** The column of those that is brought in sight; else the first. */
  foremost?: number | null;
  onChoose: (layer: number, column: number | null) => void;
}

export const PatchCells = memo(function PatchCells(props: Props) {
  const { label, columns, rows, last, strength, write, chosen, marked, foremost, onChoose } = props;
  const group = useRoving<HTMLTableSectionElement>();
  // Of a long text what the answer is about may be out of sight.
  useEffect(() => {
    const marks = group.current?.querySelectorAll('[data-marked="true"]') ?? [];
    const sought = Array.from(marks).find((cell) => cell.matches('[data-foremost="true"]')) ?? marks[0];
    sought?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [group, rows]);
  const layers = rows.map((_, layer) => rows.length - 1 - layer);
  const cell = (layer: number, value: number | null, column: number | null) => (
    <td
      key={column ?? "all"}
      data-chosen={column !== null && chosen.layer === layer && chosen.column === column}
      data-marked={marked?.(layer, column)}
      data-foremost={column !== null && column === foremost}
    >
      {value !== null && (
        <button
          type="button"
          data-rove
          tabIndex={-1}
          style={{ background: colour(strength(value)) }}
          aria-label={`layer ${layer}, ${column === null ? last?.name : `${columns[column]} ${column}`}: ${write(value)}`}
          title={`layer ${layer}, ${column === null ? last?.name : columns[column]}: ${write(value)}`}
          onClick={() => onChoose(layer, column)}
        >
          {write(value)}
        </button>
      )}
    </td>
  );
  return (
    <div className={css.scroll}>
      <table className={css.cells} aria-label={label} data-last={last !== undefined}>
        <thead>
          <tr>
            <th />
            {columns.map((name, column) => (
              <th key={column} scope="col" className="token" data-chosen={chosen.column === column}>
                {name}
              </th>
            ))}
            {last !== undefined && <th scope="col">{last.name}</th>}
          </tr>
        </thead>
        <tbody ref={group}>
          {layers.map((layer) => (
            <tr key={layer}>
              <th scope="row" data-chosen={chosen.layer === layer}>
                {layer}
              </th>
              {(rows[layer] ?? []).map((value, column) => cell(layer, value, column))}
              {last !== undefined && cell(layer, last.values[layer] ?? null, null)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
});

const colour = (strength: number): string | undefined =>
  Math.abs(strength) < 0.01
    ? undefined
    : `rgb(var(--${strength < 0 ? "heat-down" : "heat-up"}) / ${Math.abs(strength) * STRONGEST})`;
