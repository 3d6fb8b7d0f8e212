// What a patch map measures: a logit or a difference of two, here and in the other run, and the colours from one to the other.
import type { ReactNode } from "react";
import type { PatchMap } from "../../api/types";
import { signed } from "../../domain/numbers";
import { STRONGEST } from "../../domain/scale";
import { TokenText } from "../../ui/TokenText";
import css from "./patch.module.css";

type Measured = Pick<PatchMap, "target" | "against" | "difference" | "other_difference">;

/** The children say what is put in its place. */
export function Lead({ of, children }: { of: Measured; children: ReactNode }) {
  const { target, against, difference, other_difference: other } = of;
  return (
    <p className={css.said}>
      logit of <TokenText text={target.text} />
      {against !== null && (
        <>
          {" "}
          minus <TokenText text={against.text} />
        </>
      )}
      : <b>{signed(difference)}</b> here, <b>{other === null ? "–" : signed(other)}</b> in the other run · {children}
      {other !== null && <Legend from={signed(difference)} to={signed(other)} />}
    </p>
  );
}

/** Colours from this run's number to the other's. */
export function Legend({ from, to }: { from: string; to: string }) {
  return (
    <span className={css.legend} aria-hidden>
      <i style={{ background: `rgb(var(--heat-down) / ${STRONGEST})` }}>away</i>
      <i>{from}</i>
      <i style={{ background: `rgb(var(--heat-up) / ${STRONGEST})` }}>{to}</i>
    </span>
  );
}
