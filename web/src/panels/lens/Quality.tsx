// How well each lens reads each layer, on text that none was fitted on: a chart of one measure, and its numbers.
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { lensComparisonQuery } from "../../api/lenses";
import { useLongWork } from "../../api/longwork";
import type { LensComparison } from "../../api/types";
import { lensName } from "../../domain/lens";
import { short } from "../../domain/numbers";
import { IconButton, Segments } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { Lines, type Line } from "../../ui/Lines";
import css from "./lens.module.css";

type Measure = "kl" | "rank" | "causal";

const MEASURES: readonly { value: Measure; label: string; unit: string; title: string }[] = [
  {
    value: "kl",
    label: "KL",
    unit: "KL, nats",
    title: "Divergence of the lens from what the model says, in nats: less is better",
  },
  {
    value: "rank",
    label: "Rank",
    unit: "rank",
    title: "Rank under the lens of the token that the model says: less is better",
  },
  {
    value: "causal",
    label: "Cause",
    unit: "correlation",
    title: "Correlation with the measured effect of a push: more is better",
  },
];
/** How the server names text of the model's own. */
const SELF_WRITTEN: ReadonlySet<string> = new Set(["", "self-generated"]);
const KINDS = ["logit", "tuned", "jacobian"] as const;

export function Quality({ names, onClose }: { names: readonly string[]; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [measure, setMeasure] = useState<Measure>("kl");
  const found = useQuery(lensComparisonQuery(true, names));
  useEffect(() => dialog.current?.showModal(), []);
  const about = MEASURES.find(({ value }) => value === measure);
  return (
    <dialog ref={dialog} className={css.quality} aria-label="How well the lenses read" onClose={onClose}>
      <div className={css.head}>
        <h2>How well the lenses read</h2>
        <span className="grow" />
        <Segments label="Measure of quality" value={measure} options={MEASURES} onChange={setMeasure} />
        <IconButton label="Close" className="small" onClick={() => dialog.current?.close()}>
          <X aria-hidden />
        </IconButton>
      </div>
      <p className="muted">{about?.title}.</p>
      {found.error !== null && <ErrorNote failure={found.error} onRetry={() => void found.refetch()} />}
      {found.data === undefined && found.error === null && <Reading />}
      {found.data !== undefined && <Chart found={found.data} measure={measure} />}
    </dialog>
  );
}

/** A dialog covers what else says how far the work is. Closing it gives the work up. */
function Reading() {
  const now = useLongWork();
  const part = now !== null && now.total > 0 ? now.done / now.total : null;
  return (
    <div className={css.reading} role="status">
      <b>Reading text that none was fitted on…</b>
      <progress aria-label="Comparison of the lenses" {...(part === null ? {} : { value: part })} />
      <span className="muted">
        {now === null || now.step === "" ? "It takes some seconds." : now.step}{" "}
        {part !== null && `${Math.round(part * 100)}%`}
      </span>
    </div>
  );
}

function Chart({ found, measure }: { found: LensComparison; measure: Measure }) {
  const lines = KINDS.flatMap((kind, index): Line[] => {
    const values = found.layers.map((layer) => layer[kind]?.[measure] ?? null);
    return values.every((value) => value === null) ? [] : [{ name: lensName(kind), values, colour: index }];
  });
  return (
    <>
      <Lines
        label={`${measure} of the lenses by layer`}
        across="layer"
        up={MEASURES.find(({ value }) => value === measure)?.unit ?? ""}
        lines={lines}
        first={found.layers[0]?.layer ?? 0}
        logarithmic={measure === "rank"}
        write={short}
      />
      <p className="muted">
        {found.tokens} tokens of {SELF_WRITTEN.has(found.text) ? "text that the model wrote" : found.text}
      </p>
    </>
  );
}
