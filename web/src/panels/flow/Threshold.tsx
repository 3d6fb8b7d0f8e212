// The least contribution that is shown, on a slider that goes by factors; and back to what leaves a few edges.
import { Slider } from "radix-ui";
import { percent } from "../../domain/numbers";
import { LEAST, useFlow } from "../../run/useFlow";
import { setView } from "../../run/view";
import css from "./flow.module.css";

const MOST = 0.6;
const STEPS = 60;
const toPlace = (value: number): number => Math.round((STEPS * Math.log(value / LEAST)) / Math.log(MOST / LEAST));
const toValue = (place: number): number => Number((LEAST * (MOST / LEAST) ** (place / STEPS)).toPrecision(3));

export function Threshold() {
  const { threshold, automatic, flow } = useFlow();
  return (
    <>
      <span className="muted">edges from</span>
      <Slider.Root
        className={css.threshold}
        min={0}
        max={STEPS}
        step={1}
        disabled={flow === undefined}
        value={[Math.max(0, Math.min(STEPS, toPlace(threshold)))]}
        onValueChange={([place = 0]) => setView({ threshold: toValue(place) })}
      >
        <Slider.Track className={css.track} />
        <Slider.Thumb className={css.thumb} aria-label="Least contribution" aria-valuetext={percent(threshold)} />
      </Slider.Root>
      <b className={css.figure}>{percent(threshold)}</b>
      <button
        type="button"
        className="button small quiet"
        disabled={automatic}
        title="As few edges as at first"
        onClick={() => setView({ threshold: 0 })}
      >
        few
      </button>
    </>
  );
}
