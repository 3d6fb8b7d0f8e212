// The chart's data and looks for uPlot. No React.
import type uPlot from "uplot";
import type { TokenPath, Trajectory } from "../../api/types";
import { power, thousands } from "../../domain/numbers";

export type Measure = "probability" | "rank";

/** One followed token: its path in the run that is shown, and the one that it is set against. */
export interface Drawn {
  path: TokenPath;
  then: TokenPath | undefined;
  colour: number;
}

type Stages = Trajectory["stages"];

/** What is less probable is not drawn: the axis says "below". */
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

/** x: layers, with the stage before the feed-forward half a layer earlier; then both runs by turns. */
export function chartData(stages: Stages, paths: readonly Drawn[], measure: Measure): uPlot.AlignedData {
  const x = stages.map(({ layer, side }) => (side === "before" ? layer - 0.5 : layer));
  const series = paths.flatMap(({ path, then }) =>
    then === undefined ? [values(path, measure)] : [values(path, measure), values(then, measure)],
  );
  return [x, ...series];
}

export function values(path: TokenPath, measure: Measure): (number | null)[] {
  return measure === "rank" ? [...path.rank] : path.probability.map((value) => (value < FLOOR ? null : value));
}

/** A mark of the axis: ranks as numbers, probabilities as powers of ten, the floor as "below" where less is hidden. */
export const label = (value: number, measure: Measure, below: boolean): string =>
  measure === "rank"
    ? thousands(value)
    : below
      ? `< ${power(exponentOf(value))}`
      : value === 1
        ? "1"
        : power(exponentOf(value));

const exponentOf = (value: number): number => Math.round(Math.log10(value));

/** Where values are hidden the axis ends at the floor. */
export function marksOf(shown: readonly number[], hidden: boolean): number[] {
  if (!hidden) return decades([...shown, 1]);
  return [FLOOR, ...decades([...shown, FLOOR, 1]).filter((mark) => mark > FLOOR * 1.5)];
}

/** How axes look, in the colours of the page. */
export function looksOf(element: Element) {
  const style = getComputedStyle(element);
  const ink = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${ink("--sans")}`;
  const axis = {
    stroke: ink("--muted"),
    font,
    grid: { stroke: ink("--line"), width: 1 },
    ticks: { show: false },
  };
  const title = (text: string) => ({ label: text, labelFont: font, labelSize: 16, labelGap: 0 });
  return { ink, axis, title };
}

/** A dashed line where `at` is; a click tells the whole number it is nearest to. */
export function pickHooks(
  at: number,
  colour: string,
  [least, most]: readonly [number, number],
  onPick: (x: number) => void,
): uPlot.Options["hooks"] {
  return {
    draw: [
      (chart) => {
        const x = chart.valToPos(at, "x", true);
        if (x < chart.bbox.left || x > chart.bbox.left + chart.bbox.width) return;
        chart.ctx.save();
        chart.ctx.strokeStyle = colour;
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
          onPick(Math.min(most, Math.max(least, Math.round(chart.posToVal(left, "x")))));
        }),
    ],
  };
}

export function chartOptions(
  element: Element,
  stages: Stages,
  paths: readonly Drawn[],
  measure: Measure,
  layer: number,
  onLayer: (layer: number) => void,
): Omit<uPlot.Options, "width" | "height"> {
  const { ink, axis, title } = looksOf(element);
  const drawn = paths.flatMap(({ path, then }) => (then === undefined ? [path] : [path, then]));
  const all = drawn.flatMap((path) => values(path, measure)).filter((value) => value !== null);
  const hidden = drawn.some((path) => values(path, measure).includes(null));
  const marks = marksOf(all, hidden);
  const layers = Math.max(...stages.map((stage) => stage.layer));
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
      { ...axis, ...title("layer"), size: 24, space: 36, incrs: [1, 2, 5, 10, 20, 50] },
      {
        ...axis,
        ...title(measure === "rank" ? "rank among all tokens" : "probability"),
        size: 46,
        splits: () => marks,
        filter: (_, splits) => splits,
        values: (_, ticks) => ticks.map((tick, index) => label(tick, measure, hidden && index === 0)),
      },
    ],
    series: [
      {},
      ...paths.flatMap(({ path, then, colour }) => {
        const stroke = ink(`--follow-${colour}`);
        const line = { stroke, label: path.text, points: { show: false }, spanGaps: false };
        return then === undefined
          ? [{ ...line, width: 2 }]
          : [
              { ...line, width: 2 },
              { ...line, width: 1.5, dash: [4, 4] },
            ];
      }),
    ],
    hooks: pickHooks(layer, ink("--accent"), [0, layers], onLayer),
  };
}
