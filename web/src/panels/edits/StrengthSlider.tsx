// A place on a vector's own scale: 1 is its `on`, −1 its `on-`, 0 is off. Shows what that is in raw coefficient.
import { Slider } from "radix-ui";
import type { CoefficientRange } from "../../api/types";
import { short } from "../../domain/numbers";
import { LIMIT, STEP, toCoefficient } from "../../domain/units";
import "./edits.css";

interface Props {
  value: string;
  range: CoefficientRange;
  /** Null where what is set has no place on the scale, or nothing is set. */
  place: number | null;
  /** The place whose raw coefficient is shown, where that is another one: a concept scales its edits. */
  inForce?: number | null;
  onChange: (units: number) => void;
}

export function StrengthSlider({ value, range, place, inForce = place, onChange }: Props) {
  return (
    <>
      <Slider.Root
        className="slider"
        min={-LIMIT}
        max={LIMIT}
        step={STEP}
        value={[Math.max(-LIMIT, Math.min(LIMIT, place ?? 0))]}
        onValueChange={([units = 0]) => onChange(units)}
      >
        <Slider.Track className="slider-track">
          {[-1, 0, 1].map((mark) => (
            <i key={mark} style={{ left: `${((mark + LIMIT) / (2 * LIMIT)) * 100}%` }} />
          ))}
        </Slider.Track>
        <Slider.Thumb
          className="slider-thumb"
          data-none={place === null}
          aria-label={`Strength of ${value}, in units of its own range`}
          aria-valuetext={place === null ? "not on this scale" : `${short(place)} units`}
        />
      </Slider.Root>
      <span className="mono muted edit-amount" title="The coefficient that is set, in raw units">
        {inForce === null ? "—" : short(toCoefficient(inForce, range))}
      </span>
    </>
  );
}
