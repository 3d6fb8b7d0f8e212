// A place on a vector's own scale: 1 is its `on`, −1 its `on-`, 0 is off. Shows what that is in raw coefficient. The
// factor of a head. What is added along a direction, in typical lengths of the stream.
import { Slider } from "radix-ui";
import type { CoefficientRange } from "../../api/types";
import { short } from "../../domain/numbers";
import { LIMIT, STEP, toCoefficient } from "../../domain/units";
import css from "./edits.module.css";

interface Props {
  value: string;
  range: CoefficientRange;
  /** Null where what is set has no place on the scale, or nothing is set. */
  place: number | null;
  /** The place whose raw coefficient is shown, where that is another one: a concept scales its edits. */
  inForce?: number | null;
  /** Whether it has a tab stop of its own. */
  tabbable?: boolean;
  onChange: (units: number) => void;
}

export function StrengthSlider({ value, range, place, inForce = place, tabbable = true, onChange }: Props) {
  const raw = inForce === null ? "—" : short(toCoefficient(inForce, range));
  return (
    <>
      <Slider.Root
        className={css.slider}
        min={-LIMIT}
        max={LIMIT}
        step={STEP}
        value={[Math.max(-LIMIT, Math.min(LIMIT, place ?? 0))]}
        title={`coefficient ${raw}`}
        onValueChange={([units = 0]) => onChange(units)}
      >
        <Slider.Track className={css.track}>
          {[-1, 0, 1].map((mark) => (
            <i key={mark} style={{ left: `${((mark + LIMIT) / (2 * LIMIT)) * 100}%` }} />
          ))}
        </Slider.Track>
        <Slider.Thumb
          className={css.thumb}
          data-none={place === null}
          tabIndex={tabbable ? 0 : -1}
          aria-label={`Strength of ${value}, in units of its own range`}
          aria-valuetext={place === null ? "not on this scale" : `${short(place)} units, coefficient ${raw}`}
        />
      </Slider.Root>
      <span className={`mono muted ${css.amount}`} title="The coefficient that is set, in raw units">
        {raw}
      </span>
    </>
  );
}

interface HeadProps {
  value: string;
  /** Null where another edit than a factor is set. */
  factor: number | null;
  onChange: (factor: number) => void;
}

export function HeadSlider({ value, factor, onChange }: HeadProps) {
  return (
    <>
      <Slider.Root
        className={css.slider}
        min={0}
        max={LIMIT}
        step={STEP}
        value={[Math.min(LIMIT, Math.max(0, factor ?? 1))]}
        onValueChange={([next = 1]) => onChange(Number(next.toFixed(2)))}
      >
        <Slider.Track className={`${css.track} ${css.rising}`}>
          <i style={{ left: "50%" }} />
        </Slider.Track>
        <Slider.Thumb
          className={css.thumb}
          tabIndex={-1}
          data-none={factor === null}
          aria-label={`Factor of ${value}`}
          aria-valuetext={factor === null ? "not a factor" : `times ${short(factor)}`}
        />
      </Slider.Root>
      <span className={`mono muted ${css.amount}`}>{factor === null ? "—" : `×${short(factor)}`}</span>
    </>
  );
}

interface DirectionProps {
  value: string;
  /** Typical lengths of the stream. */
  lengths: number;
  onChange: (lengths: number) => void;
}

export function DirectionSlider({ value, lengths, onChange }: DirectionProps) {
  return (
    <>
      <Slider.Root
        className={css.slider}
        min={-LIMIT}
        max={LIMIT}
        step={STEP}
        value={[Math.max(-LIMIT, Math.min(LIMIT, lengths))]}
        onValueChange={([next = 0]) => onChange(Number(next.toFixed(2)))}
      >
        <Slider.Track className={css.track}>
          <i style={{ left: "50%" }} />
        </Slider.Track>
        <Slider.Thumb
          className={css.thumb}
          tabIndex={-1}
          aria-label={`Added along ${value}`}
          aria-valuetext={`${short(lengths)} typical lengths of the stream`}
        />
      </Slider.Root>
      <span className={`mono muted ${css.amount}`} title="In typical lengths of the residual stream after that layer">
        {lengths > 0 ? "+" : ""}
        {short(lengths)}
      </span>
    </>
  );
}
