// What the colours of the map mean: a few values of the scale in their colours, the floor among them.
import { STRONGEST, type Scale } from "../../domain/scale";
import { TokenText } from "../../ui/TokenText";
import css from "./map.module.css";

interface Props {
  scale: Scale;
  hue: string;
  /** The token that it is about. */
  of?: string | undefined;
}

const HUES: Record<string, string> = { probability: "heat", token: "heat", rank: "heat", entropy: "entropy" };

export function Legend({ scale, hue, of }: Props) {
  const most = scale.marks.length > 5 ? 2 : 1;
  const marks = scale.marks.filter((mark, index) => mark === 0 || index % most === 0 || scale.marks.length < 6);
  return (
    <span
      className={css.legend}
      role="img"
      title={of === undefined ? scale.unit : `${scale.unit} “${of}”`}
      aria-label={`Colours: ${scale.unit}, ${scale.marks.map(scale.write).join(", ")}`}
    >
      <span className="muted">
        {scale.unit} {of !== undefined && <TokenText text={of} />}
      </span>
      {marks.map((mark) => {
        const strength = scale.place(mark);
        const name = hue === "change" ? (strength < 0 ? "heat-down" : "heat-up") : (HUES[hue] ?? "heat");
        return (
          <i key={mark} style={{ background: `rgb(var(--${name}) / ${Math.abs(strength) * STRONGEST})` }}>
            {scale.write(mark)}
          </i>
        );
      })}
    </span>
  );
}
