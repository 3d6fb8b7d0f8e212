// Probability or rank of the followed tokens through the layers, in B and in A; or watches. Draws with uPlot.
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { trajectoryQuery } from "../../api/queries";
import type { TokenPath } from "../../api/types";
import { layerAt } from "../../domain/layer";
import { change, percent, thousands } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { followStyle, useFollowed } from "../../run/follow";
import { useTrace } from "../../run/useTrace";
import { setView, useView } from "../../run/view";
import { useSize } from "../../ui/hooks";
import { ErrorNote } from "../../ui/notes";
import { useTheme } from "../../ui/theme";
import { TokenText } from "../../ui/TokenText";
import { Waiting } from "../shell/Waiting";
import { chartData, chartOptions, type Drawn, type Measure } from "./chart";
import { FollowToken } from "./FollowToken";
import { Watches } from "./Watches";
import css from "./trajectory.module.css";

export default function Trajectory() {
  const { measure } = useView();
  return measure === "watches" ? <Watches /> : <Tokens measure={measure} />;
}

function Tokens({ measure }: { measure: Measure }) {
  const view = useView();
  const { a, b, base, compared, show, position, aPosition, layers } = useSelection();
  const followed = useFollowed();
  const ids = [...followed.ids];
  const own = useQuery(trajectoryQuery(position < 0 ? null : b, ids, position));
  const apart = compared && !base && aPosition >= 0;
  const other = useQuery(trajectoryQuery(apart ? a : null, ids, aPosition));
  const error = own.error ?? other.error;
  if (error) return <ErrorNote failure={error} onRetry={() => void own.refetch()} />;
  const { data } = own;
  if (data === undefined) return <Waiting query={own} doing="Following tokens through the layers…" />;
  const pathsA = (base ? data.baseline : other.data?.tokens) ?? null;
  const inA = (id: number): TokenPath | undefined => pathsA?.find((path) => path.id === id);
  const old = own.isPlaceholderData || other.isPlaceholderData;
  const paths = data.tokens.map((path): Drawn => {
    const then = compared ? inA(path.id) : undefined;
    const colour = followed.colours.get(path.id) ?? 0;
    if (show === "base" && then !== undefined) return { path: then, then: undefined, colour };
    return { path, then: show === "difference" ? then : undefined, colour };
  });
  return (
    <div className={css.trajectory} data-stale={old} aria-busy={old}>
      <ul className={css.legend} aria-label="Followed tokens">
        {paths.map(({ path, then, colour }) => (
          <li key={path.id} style={followStyle(colour)}>
            <i />
            <TokenText text={path.text} />
            <span className="muted">
              <Ends now={path} then={then} /> · rank {then !== undefined && `${thousands(then.rank.at(-1) ?? 0)} → `}
              {thousands(path.rank.at(-1) ?? 0)}
            </span>
            {view.followed.includes(path.id) && (
              <button
                type="button"
                className="button icon small quiet"
                aria-label={`Stop following ${visible(path.text)}`}
                onClick={() => followed.toggle(path.id)}
              >
                <X aria-hidden />
              </button>
            )}
          </li>
        ))}
        <li>
          <FollowToken />
        </li>
        {compared && show === "difference" && <li className="muted">solid: B · dashed: A</li>}
      </ul>
      <Chart stages={data.stages} paths={paths} measure={measure} layer={layerAt(view.layer, layers)} />
    </div>
  );
}

function useSelection() {
  const traced = useTrace();
  return { ...traced, layers: traced.data?.model.layers ?? 0 };
}

function Ends({ now, then }: { now: TokenPath; then: TokenPath | undefined }) {
  const end = now.probability.at(-1) ?? 0;
  if (then === undefined) return percent(end);
  const { a, b } = change(then.probability.at(-1) ?? 0, end);
  return `${a} → ${b}`;
}

interface ChartProps {
  stages: Parameters<typeof chartData>[0];
  paths: readonly Drawn[];
  measure: Measure;
  layer: number;
}

function Chart({ stages, paths, measure, layer }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const theme = useTheme();
  useEffect(() => {
    const element = box.current;
    if (element === null || size.width < 50 || size.height < 50) return;
    const options = chartOptions(element, stages, paths, measure, layer, (chosen) => setView({ layer: chosen }));
    const chart = new uPlot({ ...options, ...size }, chartData(stages, paths, measure), element);
    return () => chart.destroy();
  }, [stages, paths, measure, layer, size, theme]);
  const said = paths
    .map(
      ({ path }) => `${visible(path.text)} ends at ${percent(path.probability.at(-1) ?? 0)}, rank ${path.rank.at(-1)}`,
    )
    .join("; ");
  return <div className={css.chart} ref={box} role="img" aria-label={`${measure} through the layers: ${said}`} />;
}
