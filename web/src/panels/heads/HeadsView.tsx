// All heads of the prompt: what each writes at the position, what it attends to, and which kind of head that makes it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { headTableQuery } from "../../api/attribution";
import type { HeadTable } from "../../api/types";
import { HEAD_COLUMNS, orderedHeads, scoreOf, type HeadColumn } from "../../domain/headscores";
import { percent, short } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { openUnit } from "../../run/unit";
import { useTrace } from "../../run/useTrace";
import { setView, useView } from "../../run/view";
import { ErrorNote, Warning } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import { Waiting } from "../shell/Waiting";
import { EditMenu } from "../unit/EditMenu";
import css from "./heads.module.css";

/** Rows at first: a large model has thousands of heads. */
const ROWS = 60;

export function HeadsView() {
  const { a, b, aPosition, position, show, data, stale } = useTrace();
  const ofA = show === "base";
  const ready = data !== undefined && !stale;
  const found = useQuery(headTableQuery(ready ? (ofA ? a : b) : null, ofA ? aPosition : position));
  if (found.error !== null) return <ErrorNote failure={found.error} onRetry={() => void found.refetch()} />;
  if (found.data !== undefined) return <Table table={found.data} stale={!ready || found.isFetching} />;
  return <Waiting query={found} doing="Reading what every head attends to…" />;
}

function Table({ table, stale }: { table: HeadTable; stale: boolean }) {
  const { headOrder: order, value } = useView();
  const [shown, setShown] = useState(ROWS);
  const head = useRoving<HTMLTableRowElement>();
  const body = useRoving<HTMLTableSectionElement>();
  const ordered = orderedHeads(table.heads, order);
  const most = Math.max(...table.heads.map(({ norm }) => norm), 1e-9);
  return (
    <div className={css.heads} data-stale={stale} aria-busy={stale}>
      {table.warnings.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
      <table aria-label="Heads of the prompt">
        <thead>
          <tr ref={head}>
            <Sorter order="layer" name="head" means="From the last layer down" by={order} />
            <th scope="col">attends to</th>
            {HEAD_COLUMNS.map((column) => (
              <Sorter key={column.order} {...column} by={order} />
            ))}
            <th scope="col">writes here</th>
          </tr>
        </thead>
        <tbody ref={body}>
          {ordered.slice(0, shown).map((row) => (
            <tr key={row.head} data-open={value === row.head}>
              <td>
                <button type="button" data-rove tabIndex={-1} onClick={() => openUnit(row.head)}>
                  <b className={row.name ? "" : "mono"}>{row.name ?? row.head}</b>
                </button>
              </td>
              <td>
                {row.attends === null || row.attends === undefined ? (
                  <span className="muted">–</span>
                ) : (
                  <>
                    <TokenText text={table.tokens[row.attends]?.text ?? ""} />{" "}
                    <small className="muted">{row.attends}</small>
                  </>
                )}
              </td>
              {HEAD_COLUMNS.map(({ order: column }) => (
                <Score key={column} column={column} score={scoreOf(row, column)} most={most} />
              ))}
              <td className={css.writes}>
                <span className="token muted">{row.promotes.slice(0, 5).map(visible).join("  ")}</span>
                <EditMenu unit={row.head} quiet roving />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {ordered.length > shown && (
        <p>
          <button type="button" className="button small" onClick={() => setShown(Infinity)}>
            All {ordered.length} heads
          </button>
        </p>
      )}
    </div>
  );
}

interface SorterProps {
  order: HeadColumn["order"] | "layer";
  name: string;
  means: string;
  by: string;
}

function Sorter({ order, name, means, by }: SorterProps) {
  return (
    <th scope="col" aria-sort={by === order ? (order === "layer" ? "other" : "descending") : "none"}>
      <button
        type="button"
        data-rove
        tabIndex={-1}
        title={`${means}: sort by it`}
        onClick={() => setView({ headOrder: order })}
      >
        {name}
        {by === order && <span aria-hidden> ↓</span>}
      </button>
    </th>
  );
}

/** A mean attention weight, a share, or a length, as a number and as a bar. */
function Score({ column, score, most }: { column: HeadColumn["order"]; score: number | null; most: number }) {
  if (score === null) return <td className={css.score}>–</td>;
  const length = column === "norm";
  const width = Math.min(1, Math.abs(length ? score / most : score));
  return (
    <td className={css.score} data-negative={score < 0}>
      <i style={{ width: `${width * 100}%` }} aria-hidden />
      {length ? short(score) : score < 0 ? `−${percent(-score)}` : percent(score)}
    </td>
  );
}
