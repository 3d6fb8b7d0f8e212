// Probability or rank of the followed tokens through the layers, with the edits and without. Draws with uPlot.
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { trajectoryQuery } from "../../api/queries";
import type { Trajectory as Paths } from "../../api/types";
import { useSize, useTheme } from "../../ui/hooks";
import { Empty, ErrorNote } from "../../ui/notes";
import { percent, thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";
import { chartData, chartOptions, type Measure } from "./chart";
import { FollowToken } from "./FollowToken";
import { toggleFollowed } from "../../run/follow";
import "./trajectory.css";

export function Trajectory() {
  const { view, run, followed, position } = useCurrentSession();
  const { data, error, refetch } = useQuery(trajectoryQuery(position < 0 ? null : run, followed, position));
  if (error) return <ErrorNote failure={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Empty title="Following tokens through the layers…" />;
  return (
    <div className="trajectory">
      <ul className="legend" aria-label="Followed tokens">
        {data.tokens.map((path, index) => {
          const base = data.baseline?.[index];
          const now = path.probability.at(-1) ?? 0;
          return (
            <li key={path.id}>
              <i style={{ background: `var(--follow-${index})` }} />
              <TokenText text={path.text} />
              <span className="muted">
                {base && `${percent(base.probability.at(-1) ?? 0)} → `}
                {percent(now)} · rank {thousands(path.rank.at(-1) ?? 0)}
              </span>
              {view.followed.includes(path.id) && (
                <button
                  type="button"
                  className="button icon small quiet"
                  aria-label={`Stop following ${visible(path.text)}`}
                  onClick={() => toggleFollowed(path.id)}
                >
                  <X aria-hidden />
                </button>
              )}
            </li>
          );
        })}
        <li>
          <FollowToken />
        </li>
        {data.baseline && <li className="muted">solid: edited · dashed: base</li>}
      </ul>
      <Chart paths={data} measure={view.measure} layer={view.layer} />
    </div>
  );
}

function Chart({ paths, measure, layer }: { paths: Paths; measure: Measure; layer: number | null }) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const theme = useTheme();
  useEffect(() => {
    const element = box.current;
    if (element === null || size.width < 50 || size.height < 50) return;
    const options = chartOptions(element, paths, measure, layer, (chosen) => setView({ layer: chosen }));
    const chart = new uPlot({ ...options, ...size }, chartData(paths, measure), element);
    return () => chart.destroy();
  }, [paths, measure, layer, size, theme]);
  const last = paths.stages.length - 1;
  const said = paths.tokens
    .map((path) => `${visible(path.text)} ends at ${percent(path.probability[last] ?? 0)}, rank ${path.rank[last]}`)
    .join("; ");
  return <div className="chart" ref={box} role="img" aria-label={`${measure} through the layers: ${said}`} />;
}
