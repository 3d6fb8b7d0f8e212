// From a place in the prediction view to the vectors that write its residual stream.
import { PenLine } from "lucide-react";
import { useTrace } from "../../run/useTrace";
import { ExploreLink } from "./links";
import css from "./writers.module.css";

export function WritersLink({ layer, position }: { layer: number; position: number }) {
  return (
    <ExploreLink
      className={css.link}
      data-rove
      tabIndex={-1}
      to={{ residual: [position, layer] }}
      title={`What writes this residual stream? (position ${position}, after layer ${layer})`}
      aria-label={`What writes the residual stream after layer ${layer}?`}
    >
      <PenLine aria-hidden />
    </ExploreLink>
  );
}

/** Below the prediction: which vectors make it, and what tells it from another prompt's. */
export function WritersOfPrediction() {
  const { data } = useTrace();
  if (data === undefined) return null;
  const { position, model } = data;
  const place = { residual: [position, model.layers - 1] as [number, number] };
  return (
    <p className={css.writers}>
      <ExploreLink to={place} data-rove tabIndex={-1}>
        What writes this?
      </ExploreLink>
      <ExploreLink to={place} hash="#against" data-rove tabIndex={-1}>
        Told from another prompt?
      </ExploreLink>
    </p>
  );
}
