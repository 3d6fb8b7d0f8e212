// The vector's coefficient at each token, in A and in B; a click reads out there.
import { memo } from "react";
import { signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { useCoefficients } from "../../run/useCoefficients";
import { useTrace } from "../../run/useTrace";
import { setView } from "../../run/view";
import { ErrorNote } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import css from "./unit.module.css";

export function Coefficients({ value }: { value: string }) {
  const { position, show } = useTrace();
  const { data, error } = useCoefficients(value);
  const group = useRoving<HTMLOListElement>();
  if (error) return <ErrorNote failure={error} />;
  if (data === undefined) return null;
  const both = data.a !== null && show === "difference";
  const shown = show === "base" && data.a !== null ? data.a : data.b;
  const most = Math.max(...data.b.map(Math.abs), ...(data.a ?? []).map(Math.abs), 1e-9);
  return (
    <div>
      <h3 className="section-title">
        Coefficient at each token <span className="grow" />
        {data.a !== null && <span className={css.key}>{both ? "A → B" : show === "base" ? "A" : "B"}</span>}
      </h3>
      <ol ref={group} className={css.coefficients} aria-label={`Coefficient of ${value} at each token`}>
        {data.tokens.map(({ text }, index) => (
          <Row
            key={index}
            index={index}
            text={text}
            now={shown[index] ?? 0}
            base={data.a !== null && show !== "base" ? (data.a[index] ?? null) : null}
            both={both}
            most={most}
            selected={index === position}
          />
        ))}
      </ol>
    </div>
  );
}

interface RowProps {
  index: number;
  text: string;
  now: number;
  base: number | null;
  both: boolean;
  most: number;
  selected: boolean;
}

const Row = memo(function Row({ index, text, now, base, both, most, selected }: RowProps) {
  const moved = base !== null && base !== now;
  return (
    <li>
      <button
        type="button"
        data-rove
        tabIndex={-1}
        aria-pressed={selected}
        aria-label={`${visible(text)}: ${moved ? `A ${signed(base)}, B ` : ""}${signed(now)}`}
        onClick={() => setView({ position: index })}
      >
        <TokenText text={text} />
        <span className={css.diverging}>
          {moved && <Bar value={base} most={most} className={css.base} />}
          <Bar value={now} most={most} className={now < 0 ? css.minus : css.plus} />
        </span>
        <span className={css.coefficientNumber}>
          {moved && both && <span className="muted">{signed(base)} → </span>}
          {signed(now)}
        </span>
      </button>
    </li>
  );
});

function Bar({ value, most, className }: { value: number; most: number; className: string | undefined }) {
  const half = (Math.abs(value) / most) * 50;
  return <i className={className} style={{ left: `${value < 0 ? 50 - half : 50}%`, width: `${half}%` }} />;
}
