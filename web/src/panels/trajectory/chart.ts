// The chart's data and looks for uPlot. No React.
import type uPlot from "uplot";
import type { Trajectory } from "../../api/types";
import { percent, thousands } from "../../domain/numbers";

export type Measure = "probability" | "rank";

/** Below this a probability is drawn on the axis. */
const FLOOR = 1e-9;

/** The powers of ten that hold all values; many decades show every second or third. */
function decades(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  const step = Math.ceil((high - low) / 5);
  const exponents = [];
  for (let exponent = high; exponent > low - step; exponent -= step) exponents.unshift(exponent);
  return exponents.map((exponent) => 10 ** exponent);
}

/** x: layers, with the stage before the feed-forward half a layer earlier; then edited and base by turns. */
export function chartData(paths: Trajectory, measure: Measure): uPlot.AlignedData {
  const x = paths.stages.map(({ layer, side }) => (side === "before" ? layer - 0.5 : layer));
  const series = paths.tokens.flatMap((path, index) => {
    const base = paths.baseline?.[index];
    return base ? [values(path, measure), values(base, measure)] : [values(path, measure)];
  });
  return [x, ...series];
}

function values(path: Trajectory["tokens"][number], measure: Measure): number[] {
  return measure === "rank" ? [...path.rank] : path.probability.map((value) => Math.max(value, FLOOR));
}

export function chartOptions(
  element: Element,
  paths: Trajectory,
  measure: Measure,
  layer: number | null,
  onLayer: (layer: number) => void,
): Omit<uPlot.Options, "width" | "height"> {
  const style = getComputedStyle(element);
  const ink = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${ink("--sans")}`;
  const axis = {
    stroke: ink("--muted"),
    font,
    grid: { stroke: ink("--line"), width: 1 },
    ticks: { show: false },
  };
  const all = [...paths.tokens, ...(paths.baseline ?? [])].flatMap((path) => values(path, measure));
  const marks = decades([...all, 1]);
  const layers = Math.max(...paths.stages.map((stage) => stage.layer));
  return {
    legend: { show: false },
    padding: [8, 14, 0, 0],
    cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: [-0.75, layers + 0.25] },
      y: {
        distr: 3,
        log: 10,
        dir: measure === "rank" ? -1 : 1,
        range: [marks[0] ?? FLOOR, marks.at(-1) ?? 1],
      },
    },
    axes: [
      { ...axis, size: 26, space: 36, incrs: [1, 2, 5, 10, 20, 50] },
      {
        ...axis,
        size: 62,
        splits: () => marks,
        filter: (_, splits) => splits,
        values: (_, ticks) => ticks.map((tick) => (measure === "rank" ? thousands(tick) : label(tick))),
      },
    ],
    series: [
      {},
      ...paths.tokens.flatMap((path, index) => {
        const stroke = ink(`--follow-${index}`);
        const line = { stroke, label: path.text, points: { show: false } };
        return paths.baseline
          ? [
              { ...line, width: 2 },
              { ...line, width: 1.5, dash: [4, 4] },
            ]
          : [{ ...line, width: 2 }];
      }),
    ],
    hooks: {
      draw: [
        (chart) => {
          if (layer === null) return;
          const x = chart.valToPos(layer, "x", true);
          chart.ctx.save();
          chart.ctx.strokeStyle = ink("--accent");
          chart.ctx.globalAlpha = 0.6;
          chart.ctx.setLineDash([3, 3]);
          chart.ctx.beginPath();
          chart.ctx.moveTo(x, chart.bbox.top);
          chart.ctx.lineTo(x, chart.bbox.top + chart.bbox.height);
          chart.ctx.stroke();
          chart.ctx.restore();
        },
      ],
      ready: [
        (chart) =>
          chart.over.addEventListener("click", () => {
            const { left } = chart.cursor;
            if (left === undefined || left < 0) return;
            onLayer(Math.min(layers, Math.max(0, Math.round(chart.posToVal(left, "x")))));
          }),
      ],
    },
  };
}

const label = (probability: number): string =>
  probability >= 1e-4 ? percent(probability) : `1e\u2212${-Math.round(Math.log10(probability))}`;
