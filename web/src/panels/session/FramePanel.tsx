// Inside a step: the part of the layer that has just run, what wrote most in it, what the model would say after it, and
// the parts before.
import type { FrameView } from "../../api/types";
import { percent, short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { useSessionVerbs } from "../../run/session";
import { openUnit } from "../../run/unit";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import { EditMenu } from "../unit/EditMenu";
import css from "./session.module.css";

export function FramePanel({ frame }: { frame: FrameView }) {
  const { part, course, layers, reused } = frame;
  const verbs = useSessionVerbs();
  const group = useRoving<HTMLElement>();
  const units = [
    ...part.heads.map(({ head, norm, promotes }) => ({ unit: head, size: norm, said: short(norm), promotes })),
    ...part.values.map(({ value, score, coefficient, promotes }) => ({
      ...{ unit: value, size: score, said: signed(coefficient), promotes },
    })),
  ];
  const most = Math.max(...units.map(({ size }) => size), 1e-9);
  return (
    <section ref={group} className={css.frame} aria-label="Inside the step">
      <div>
        <h3 className="section-title">
          Layer {part.layer} of {layers} · {part.part === "ffn" ? "feed-forward" : "attention"}
        </h3>
        <p className="muted">
          adds {short(part.norm)} to the stream{reused > 0 && `; ${reused} layers were not computed again`}
        </p>
        <ul aria-label="What wrote most">
          {units.map(({ unit, size, said, promotes }) => (
            <li key={unit} className={css.unit}>
              <button type="button" data-rove tabIndex={-1} aria-label={`Open ${unit}`} onClick={() => openUnit(unit)}>
                <span className="chip-bar" style={{ width: `${(size / most) * 100}%` }} />
                <b className="mono">{unit}</b>
                <span className="token muted">{(promotes ?? []).slice(0, 4).map(visible).join(" ")}</span>
                <span className={css.value}>{said}</span>
              </button>
              <EditMenu unit={unit} quiet roving />
            </li>
          ))}
        </ul>
      </div>
      <div>
        <h3 className="section-title">After it</h3>
        <ol aria-label="After the part">
          {part.lens.slice(0, 10).map(({ id, text, probability }) => (
            <li key={id} className={css.token}>
              <span className="chip-bar" style={{ width: `${probability * 100}%` }} />
              <TokenText text={text} />
              <span className={css.value}>{percent(probability)}</span>
            </li>
          ))}
        </ol>
      </div>
      <div>
        <h3 className="section-title">The step so far</h3>
        <ol aria-label="Parts so far" className={css.course}>
          {[...course].reverse().map(({ layer, part: which, top }) => (
            <li key={`${layer} ${which}`}>
              <span className="muted">
                {layer} {which === "ffn" ? "feed-forward" : "attention"}
              </span>
              <TokenText text={top.text} />
              <span className={css.value}>{percent(top.probability)}</span>
            </li>
          ))}
        </ol>
        <button
          type="button"
          className="button small"
          data-rove
          tabIndex={-1}
          onClick={() => verbs.run({ verb: "step", how: "to", layer: Math.min(layers - 1, part.layer + 5) })}
        >
          Run to layer {Math.min(layers - 1, part.layer + 5)}
        </button>
      </div>
    </section>
  );
}
