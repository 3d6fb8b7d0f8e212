// A small chart of a few lines over whole numbers, with the values at a place that is pointed at. Knows nothing of models.
import { useState } from "react";
import css from "./lines.module.css";

export interface Line {
  name: string;
  values: readonly (number | null)[];
  /** Which of the eight colours of followed tokens. */
  colour: number;
}

interface Props {
  label: string;
  lines: readonly Line[];
  /** The number of the first place. */
  first?: number;
  logarithmic?: boolean;
  /** What the axes are, with their units. */
  across?: string;
  up?: string;
  write: (value: number) => string;
  /** What a place is called. */
  place?: (index: number) => string;
  /** A place that is marked, and what a click on one does. */
  marked?: number | null;
  onChoose?: (index: number) => void;
  height?: number;
}

const WIDE = 680;
const LEFT = 46;
const RIGHT = 12;
const BELOW = 18;
/** A line of text for the name of an axis. */
const NAME = 14;
const ABOVE = 8;

export function Lines(props: Props) {
  const { label, lines, first = 0, logarithmic = false, write, marked = null, onChoose, across, up } = props;
  const below = BELOW + (across === undefined ? 0 : NAME);
  const above = ABOVE + (up === undefined ? 0 : NAME);
  const height = props.height ?? 220;
  const placeOf = props.place ?? ((index: number) => String(index + first));
  const [pointed, point] = useState<number | null>(null);
  const count = Math.max(...lines.map(({ values }) => values.length), 2);
  const known = lines.flatMap(({ values }) => values).filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  const least = Math.min(...known, ...(logarithmic ? [] : [0]));
  const most = Math.max(...known, least + 1e-9);
  const scaled = (value: number) =>
    logarithmic
      ? Math.log(Math.max(value, 1e-9) / least) / Math.max(Math.log(most / least), 1e-9)
      : (value - least) / (most - least);
  const x = (index: number) => LEFT + (index * (WIDE - LEFT - RIGHT)) / (count - 1);
  const y = (value: number) => height - below - scaled(value) * (height - below - above);
  const nearest = (event: React.MouseEvent<SVGSVGElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = ((event.clientX - left) / width) * WIDE;
    return Math.min(count - 1, Math.max(0, Math.round(((at - LEFT) * (count - 1)) / (WIDE - LEFT - RIGHT))));
  };
  const middle = logarithmic ? Math.sqrt(most * least) : (most + least) / 2;
  const said = lines.map(({ name, values }) => `${name} ${values.map((v) => (v === null ? "–" : write(v))).join(" ")}`);
  return (
    <figure className={css.figure}>
      {/* The chart says in its label all that it shows; a click is a short cut for the mouse. */}
      {}
      <svg
        viewBox={`0 0 ${WIDE} ${height}`}
        role="img"
        aria-label={`${label}: ${said.join("; ")}`}
        data-clickable={onChoose !== undefined}
        onMouseMove={(event) => point(nearest(event))}
        onMouseLeave={() => point(null)}
        onClick={(event) => onChoose?.(nearest(event))}
      >
        {[least, middle, most].map((mark) => (
          <g key={mark}>
            <line className={css.grid} x1={LEFT} x2={WIDE - RIGHT} y1={y(mark)} y2={y(mark)} />
            <text className={css.mark} x={LEFT - 5} y={y(mark) + 3.5} textAnchor="end">
              {write(mark)}
            </text>
          </g>
        ))}
        {Array.from({ length: count }, (_, index) => index)
          .filter((index) => index % Math.ceil(count / 12) === 0)
          .map((index) => (
            <text key={index} className={css.mark} x={x(index)} y={height - below + 14} textAnchor="middle">
              {placeOf(index)}
            </text>
          ))}
        {up !== undefined && (
          <text className={css.mark} x={LEFT} y={10}>
            {up}
          </text>
        )}
        {across !== undefined && (
          <text className={css.mark} x={WIDE - RIGHT} y={height - 4} textAnchor="end">
            {across}
          </text>
        )}
        {[marked, pointed].map(
          (at, which) =>
            at !== null && <line key={which} className={css.at} x1={x(at)} x2={x(at)} y1={above} y2={height - below} />,
        )}
        {lines.map(({ name, values, colour }) => (
          <path key={name} className={css.line} style={{ stroke: `var(--follow-${colour})` }} d={path(values, x, y)} />
        ))}
      </svg>
      <figcaption>
        {lines.map(({ name, values, colour }) => {
          const at = pointed ?? marked;
          const value = at === null ? null : (values[at] ?? null);
          return (
            <span key={name}>
              <i style={{ background: `var(--follow-${colour})` }} />
              {name} {value !== null && <b>{write(value)}</b>}
            </span>
          );
        })}
        {(pointed ?? marked) !== null && <span className="muted">at {placeOf(pointed ?? marked ?? 0)}</span>}
      </figcaption>
    </figure>
  );
}

/** A line with gaps where nothing is known. */
function path(values: readonly (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  let drawn = "";
  let open = false;
  for (const [index, value] of values.entries()) {
    if (value !== null) drawn += `${open ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    open = value !== null;
  }
  return drawn;
}
