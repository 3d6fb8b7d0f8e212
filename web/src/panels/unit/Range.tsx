// How the vector's coefficient is distributed, and where it is at the chosen position; measured on demand.
import { useLongWork } from "../../api/longwork";
import { useCalibrate } from "../../api/queries";
import type { CoefficientRange, NamedValue } from "../../api/types";
import { ErrorNote, Stopped } from "../../ui/notes";
import { percent, short, thousands } from "../../domain/numbers";
import { useCoefficients } from "../../run/useCoefficients";
import css from "./unit.module.css";

export function Range({ data }: { data: NamedValue }) {
  const here = useCoefficients(data.value).data?.here;
  const calibrate = useCalibrate();
  const going = useLongWork();
  return (
    <div className={css.range}>
      <h3 className="section-title">Own range</h3>
      {data.range ? (
        <RangeBar range={data.range} here={here} />
      ) : (
        <p className="muted">
          Not measured yet: <i>on</i> needs it.{" "}
          {calibrate.isPending ? (
            <>
              Measuring… {going !== null && going.total > 0 && percent(going.done / going.total)}{" "}
              <button type="button" className="button small" onClick={calibrate.cancel}>
                Cancel
              </button>
            </>
          ) : (
            <button type="button" className="button small" onClick={() => calibrate.mutate(null)}>
              Measure all vectors
            </button>
          )}
        </p>
      )}
      {calibrate.stopped && <Stopped />}
      {calibrate.error && <ErrorNote failure={calibrate.error} />}
    </div>
  );
}

function RangeBar({ range, here }: { range: CoefficientRange; here: number | undefined }) {
  const ends = [range.low, range.high, 0, ...(here === undefined ? [] : [here])];
  const minimum = Math.min(...ends);
  const span = Math.max(...ends) - minimum || 1;
  const place = (value: number) => `${((value - minimum) / span) * 100}%`;
  const said = [
    `on− is ${short(range.low)}, on is ${short(range.high)}`,
    `98 % lie between ${short(range.quantile_01)} and ${short(range.quantile_99)}`,
    here === undefined ? "" : `here ${short(here)}`,
  ]
    .filter(Boolean)
    .join("; ");
  return (
    <>
      <div className={css.rangeBar} role="img" aria-label={said} title={said}>
        <span className={css.rangeAll} style={{ left: place(range.low), right: `calc(100% - ${place(range.high)})` }} />
        <span
          className={css.rangeMost}
          style={{ left: place(range.quantile_01), right: `calc(100% - ${place(range.quantile_99)})` }}
        />
        <i style={{ left: place(0) }} />
        {here !== undefined && <b style={{ left: place(here) }} />}
      </div>
      <p className={css.rangeNumbers}>
        <span className="minus">on− {short(range.low)}</span>
        <span className="muted">
          mean {short(range.mean)} · {thousands(range.tokens)} tokens
        </span>
        <span className="plus">on {short(range.high)}</span>
      </p>
    </>
  );
}
