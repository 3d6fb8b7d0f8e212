// How many clusters to make, and how far it is.
import { useIsMutating } from "@tanstack/react-query";
import { Shapes } from "lucide-react";
import { useId, useState } from "react";
import { MAKING, useMakeClusters } from "../../api/clusters";
import { stopLongWork, useLongWork } from "../../api/longwork";
import { ErrorNote, Stopped } from "../../ui/notes";
import css from "./clusters.module.css";

interface Props {
  /** Number and seed of the clusters that there are. */
  known?: { k: number; seed: number };
  onMade?: () => void;
}

export function MakeClusters({ known, onMade }: Props) {
  const [k, setK] = useState(known === undefined ? "" : String(known.k));
  const [seed, setSeed] = useState(String(known?.seed ?? 0));
  const hint = useId();
  const make = useMakeClusters();
  const making = useIsMutating({ mutationKey: MAKING }) > 0;
  const valid = (k === "" || (/^\d{1,6}$/.test(k) && Number(k) >= 2)) && /^\d{1,9}$/.test(seed);
  const same = known !== undefined && k === String(known.k) && seed === String(known.seed);
  return (
    <form
      className={css.makeClusters}
      onSubmit={(event) => {
        event.preventDefault();
        if (!valid || making || same) return;
        make.mutate(
          // Without a number, clusters that are known would do: these are to be made.
          { k: k === "" ? null : Number(k), seed: Number(seed), force: k === "" },
          { onSuccess: (made) => made !== null && onMade?.() },
        );
      }}
    >
      <div className={css.makeFields}>
        <label>
          Clusters
          <input
            className="field"
            inputMode="numeric"
            placeholder="by size"
            aria-describedby={hint}
            aria-invalid={!valid}
            disabled={making}
            value={k}
            onChange={(event) => setK(event.target.value.trim())}
          />
        </label>
        <label>
          Seed
          <input
            className="field"
            inputMode="numeric"
            disabled={making}
            value={seed}
            onChange={(event) => setSeed(event.target.value.trim())}
          />
        </label>
        {!making && (
          <button type="submit" className="button primary" disabled={!valid || same}>
            <Shapes aria-hidden />
            Make clusters
          </button>
        )}
      </div>
      <p id={hint} className="muted">
        Left empty: about one for each 46 vectors. Fewer, and a cluster speaks of more things; more, and one thing falls
        into several.
      </p>
      {making && <Progress />}
      {make.stopped && <Stopped />}
      {make.error !== null && <ErrorNote failure={make.error} />}
    </form>
  );
}

function Progress() {
  const progress = useLongWork();
  const part = progress === null || progress.total === 0 ? null : progress.done / progress.total;
  const step = progress?.step ?? "Waiting for the model";
  return (
    <div className={css.makeProgress}>
      <span role="status">{step}…</span>
      <div
        className={css.makeBar}
        role="progressbar"
        aria-label={step}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={part === null ? undefined : Math.round(part * 100)}
      >
        <i
          className={part === null ? css.moving : undefined}
          style={{ width: part === null ? "30%" : `${part * 100}%` }}
        />
      </div>
      <button type="button" className="button small" onClick={stopLongWork}>
        Cancel
      </button>
    </div>
  );
}
