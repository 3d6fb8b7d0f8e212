// How the vector's coefficient is distributed, and where it is at the chosen position; measured on demand.
import { useQuery } from "@tanstack/react-query";
import { useLongWork } from "../../api/longwork";
import { coefficientsQuery, useCalibrate } from "../../api/queries";
import type { CoefficientRange, NamedValue } from "../../api/types";
import { ErrorNote } from "../../ui/notes";
import { percent, short, thousands } from "../../domain/numbers";
import { useCurrentSession } from "../../run/context";

export function Range({ data }: { data: NamedValue }) {
  const { run, position } = useCurrentSession();
  const here = useQuery(coefficientsQuery(data.value, run)).data?.coefficients[position];
  const calibrate = useCalibrate();
  const going = useLongWork();
  return (
    <div className="range">
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
            <button type="button" className="button small" onClick={() => calibrate.mutate()}>
              Measure all vectors
            </button>
          )}
        </p>
      )}
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
      <div className="range-bar" role="img" aria-label={said} title={said}>
        <span className="range-all" style={{ left: place(range.low), right: `calc(100% - ${place(range.high)})` }} />
        <span
          className="range-most"
          style={{ left: place(range.quantile_01), right: `calc(100% - ${place(range.quantile_99)})` }}
        />
        <i style={{ left: place(0) }} />
        {here !== undefined && <b style={{ left: place(here) }} />}
      </div>
      <p className="range-numbers">
        <span className="minus">on− {short(range.low)}</span>
        <span className="muted">
          mean {short(range.mean)} · {thousands(range.tokens)} tokens
        </span>
        <span className="plus">on {short(range.high)}</span>
      </p>
    </>
  );
}
