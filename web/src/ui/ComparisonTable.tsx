// The one table that sets A beside B: a value of each, their difference, and bars on a scale that both share. Without
// anything to compare it has one column.
import type { ReactNode } from "react";
import type { Scale } from "../domain/scale";
import css from "./comparison.module.css";

export interface ComparedRow {
  key: string | number;
  head: ReactNode;
  title?: string | undefined;
  /** Null where it is not known of that run: it is not among what the run lists. */
  a: number | null;
  b: number | null;
  selected?: boolean;
  /** Its values may be beyond the scale: they have no bars. */
  bare?: boolean;
}

export interface Written {
  a: string;
  b: string;
  delta: string;
}

interface Props {
  label: string;
  /** What a row is. */
  head: string;
  /** What the values are, where there is one column. */
  value: string;
  rows: readonly ComparedRow[];
  compared: boolean;
  /** The column that the page is about. */
  show: "base" | "edited" | "difference";
  scale: Scale;
  /** A value alone, and both with their difference. */
  write: (value: number) => string;
  writeBoth: (a: number, b: number) => Written;
  /** Below this a difference is none. */
  floor: number;
  names?: { a: string; b: string };
  /** One more column, of something that only some rows have. */
  extra?: { head: string; title: string; of: (key: string | number) => string };
}

export function ComparisonTable(props: Props) {
  const { label, head, value, rows, compared, show, scale, write, writeBoth, floor, extra } = props;
  const names = props.names ?? { a: "A", b: "B" };
  return (
    <table className={css.table} aria-label={label} data-show={compared ? show : "edited"}>
      <thead>
        <tr>
          <th scope="col">{head}</th>
          {compared && <th scope="col">{names.a}</th>}
          <th scope="col">{compared ? names.b : value}</th>
          {compared && <th scope="col">Δ</th>}
          {extra && (
            <th scope="col" title={extra.title}>
              {extra.head}
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, head: name, title, a, b, selected, bare }) => {
          const both = compared && a !== null && b !== null ? writeBoth(a, b) : null;
          const moved = a !== null && b !== null ? b - a : 0;
          return (
            <tr key={key} title={title} data-selected={selected}>
              <td className={css.head}>
                {compared && a !== null && !bare && <Bar value={a} scale={scale} base />}
                {b !== null && !bare && <Bar value={b} scale={scale} />}
                {name}
              </td>
              {compared && <td data-side="a">{both?.a ?? (a === null ? "–" : write(a))}</td>}
              <td data-side="b">{both?.b ?? (b === null ? "–" : write(b))}</td>
              {compared && (
                <td data-side="delta" className={Math.abs(moved) < floor ? "muted" : moved > 0 ? "plus" : "minus"}>
                  {both?.delta ?? ""}
                </td>
              )}
              {extra && <td data-side="extra">{extra.of(key)}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** From the left edge, or from the middle where the scale has two sides. */
function Bar({ value, scale, base = false }: { value: number; scale: Scale; base?: boolean }) {
  const place = scale.place(value);
  const two = (scale.marks[0] ?? 0) < 0;
  const width = Math.abs(place) * (two ? 50 : 100);
  const left = two ? (place < 0 ? 50 - width : 50) : 0;
  const side = two ? (place < 0 ? css.minus : css.plus) : "";
  return (
    <span
      className={`${css.bar} ${base ? css.base : ""} ${side}`}
      style={{ left: `${left}%`, width: `${width}%` }}
      aria-hidden
    />
  );
}
