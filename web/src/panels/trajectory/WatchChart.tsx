// One watch along its axis, in B and in A: a line for numbers and truths, stretches of text for what is a text.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { watchSaid } from "../../domain/session";
import { short } from "../../domain/numbers";
import { isText, numbersOf, stretches, type Course } from "../../domain/watches";
import { useSize } from "../../ui/hooks";
import { useTheme } from "../../ui/theme";
import { TokenText } from "../../ui/TokenText";
import { looksOf, pickHooks } from "./chart";
import css from "./trajectory.module.css";

interface Props {
  course: Course;
  /** A's, where both are shown. */
  then: Course | null;
  along: "layers" | "steps";
  /** Where the selection is on the axis. */
  at: number;
  onPick: (x: number) => void;
}

export function WatchChart({ course, then, along, at, onPick }: Props) {
  const { expression, end } = course;
  const said = (value: Course["end"]) => watchSaid(expression, value);
  return (
    <section className={css.watch} aria-label={`Watch ${expression}`}>
      <p>
        <code className="mono">{expression}</code>{" "}
        <b>
          {then !== null && `${said(then.end)} → `}
          {said(end)}
        </b>
      </p>
      {isText(course) ? (
        <Texts course={course} along={along} at={at} onPick={onPick} />
      ) : (
        <Line course={course} then={then} along={along} at={at} onPick={onPick} />
      )}
    </section>
  );
}

function Line({ course, then, along, at, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const theme = useTheme();
  const ends = useRef(onPick);
  useEffect(() => {
    ends.current = onPick;
  });
  useEffect(() => {
    const element = box.current;
    if (element === null || size.width < 50 || size.height < 30) return;
    const { ink, axis } = looksOf(element);
    const { x } = course;
    const [least, most] = [Math.ceil(x[0] ?? 0), Math.max(x.at(-1) ?? 0, (x[0] ?? 0) + 1)] as const;
    const line = { points: { show: x.length < 2 }, spanGaps: true };
    const options: Omit<uPlot.Options, "width" | "height"> = {
      legend: { show: false },
      padding: [6, 14, 0, 0],
      cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
      scales: {
        x: { time: false, range: [(x[0] ?? 0) - 0.25, most + 0.25] },
        y: { range: (_, low, high) => rangeOf(low, high) },
      },
      axes: [
        { ...axis, size: 22, space: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200] },
        { ...axis, size: 62, space: 26, values: (_, ticks) => ticks.map(short) },
      ],
      series: [
        {},
        { ...line, stroke: ink("--accent"), width: 2 },
        ...(then === null ? [] : [{ ...line, stroke: ink("--muted"), width: 1.5, dash: [4, 4] }]),
      ],
      hooks: pickHooks(at, ink("--accent"), [least, Math.floor(most)], (chosen) => ends.current(chosen)),
    };
    const series = [course, ...(then === null ? [] : [then])].map(({ values }) => padded(numbersOf(values), x.length));
    const chart = new uPlot({ ...options, ...size }, [x, ...series] as uPlot.AlignedData, element);
    return () => chart.destroy();
  }, [course, then, at, size, theme]);
  const known = numbersOf(course.values).filter((value) => value !== null);
  const said =
    known.length === 0 ? "no value yet" : `from ${short(Math.min(...known))} to ${short(Math.max(...known))}`;
  return (
    <div
      className={css.watchChart}
      ref={box}
      role="img"
      aria-label={`${course.expression} through the ${along}: ${said}`}
    />
  );
}

function Texts({ course, along, at, onPick }: Omit<Props, "then">) {
  return (
    <ol className={css.stretches} aria-label={`${course.expression} through the ${along}`}>
      {stretches(course).map(({ first, last, value }) => (
        <li key={first} data-here={Math.floor(first) <= at && at <= last}>
          <button type="button" tabIndex={-1} data-rove onClick={() => onPick(Math.ceil(first))}>
            <TokenText text={String(value)} />{" "}
            <span className="muted">
              {Math.ceil(first)}
              {Math.floor(last) > Math.ceil(first) && `–${Math.floor(last)}`}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** A continuation may have ended before the other. */
const padded = (values: (number | null)[], length: number): (number | null)[] =>
  Array.from({ length }, (_, index) => values[index] ?? null);

/** Values with room above and below; one that stays the same lies in the middle. */
function rangeOf(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const room = high > low ? (high - low) * 0.08 : Math.max(Math.abs(high) * 0.1, 0.5);
  return [low - room, high + room];
}
