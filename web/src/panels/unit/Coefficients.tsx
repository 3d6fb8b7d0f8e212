// The vector's coefficient at each token, with the edits and without; a click reads out there.
import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { coefficientsQuery } from "../../api/queries";
import { ErrorNote } from "../../ui/notes";
import { signed } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";

export function Coefficients({ value }: { value: string }) {
  const { run, position } = useCurrentSession();
  const { data, error } = useQuery(coefficientsQuery(value, run));
  if (error) return <ErrorNote failure={error} />;
  if (data === undefined) return null;
  const base = data.baseline ?? null;
  const most = Math.max(...data.coefficients.map(Math.abs), ...(base ?? []).map(Math.abs), 1e-9);
  return (
    <div>
      <h3 className="section-title">
        Coefficient at each token <span className="grow" />
        {base !== null && <span className="coefficient-key">base → edited</span>}
      </h3>
      <ol className="coefficients" aria-label={`Coefficient of ${value} at each token`}>
        {data.tokens.map(({ text }, index) => (
          <Row
            key={index}
            index={index}
            text={text}
            now={data.coefficients[index] ?? 0}
            base={base?.[index] ?? null}
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
  most: number;
  selected: boolean;
}

const Row = memo(function Row({ index, text, now, base, most, selected }: RowProps) {
  const moved = base !== null && base !== now;
  return (
    <li>
      <button
        type="button"
        aria-pressed={selected}
        aria-label={`${visible(text)}: ${moved ? `base ${signed(base)}, edited ` : ""}${signed(now)}`}
        onClick={() => setView({ position: index })}
      >
        <TokenText text={text} />
        <span className="diverging">
          {moved && <Bar value={base} most={most} className="base" />}
          <Bar value={now} most={most} className={now < 0 ? "minus" : "plus"} />
        </span>
        <span className="coefficient-number">
          {moved && <span className="muted">{signed(base)} → </span>}
          {signed(now)}
        </span>
      </button>
    </li>
  );
});

function Bar({ value, most, className }: { value: number; most: number; className: string }) {
  const half = (Math.abs(value) / most) * 50;
  return <i className={className} style={{ left: `${value < 0 ? 50 - half : 50}%`, width: `${half}%` }} />;
}
