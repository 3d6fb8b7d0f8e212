// A line the size of a word. Its numbers are told beside it.
import css from "./lines.module.css";

const WIDE = 48;
const HIGH = 14;

export function Sparkline({ values }: { values: readonly (number | null)[] }) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return null;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const points = values.flatMap((value, index) => {
    if (value === null) return [];
    const x = 1 + (index * (WIDE - 2)) / (values.length - 1);
    const y = HIGH - 2 - ((value - least) / Math.max(most - least, 1e-12)) * (HIGH - 4);
    return [`${x.toFixed(1)},${y.toFixed(1)}`];
  });
  return (
    <svg className={css.spark} width={WIDE} height={HIGH} aria-hidden>
      <polyline points={points.join(" ")} />
    </svg>
  );
}
