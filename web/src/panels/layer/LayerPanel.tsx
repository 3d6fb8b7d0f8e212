// The layer panel: the selected layer at the selected position, or all layers. ↑ and ↓ move.
import { useEffect, useMemo } from "react";
import { ChevronDown, ChevronUp, Rows3 } from "lucide-react";
import type { LayerView } from "../../api/types";
import { isInForce } from "../../domain/concept";
import { layerAt } from "../../domain/layer";
import { lensName } from "../../domain/lens";
import { visible } from "../../domain/visible";
import { useFollowed } from "../../run/follow";
import { useNames } from "../../run/names";
import { moveLayer } from "../../run/selection";
import { useEditedUpdates } from "../../run/useEditedUpdates";
import { shownSide, useEffects, useTrace } from "../../run/useTrace";
import { setView, useView } from "../../run/view";
import { IconButton } from "../../ui/controls";
import { Empty, ErrorNote } from "../../ui/notes";
import { Stale } from "../../ui/Stale";
import { TokenText } from "../../ui/TokenText";
import { useRoving } from "../../ui/roving";
import { Cancelled } from "../shell/Waiting";
import { LayerFlow } from "./LayerFlow";
import css from "./layer.module.css";

export function LayerPanel() {
  const view = useView();
  const traced = useTrace();
  const { data, show, stale, busy, stopped, failure, position, sideA } = traced;
  const names = useNames();
  const followed = useFollowed();
  const box = useRoving<HTMLDivElement>();
  const edited = useMemo(() => new Set(view.edits.filter(isInForce).map(({ value }) => value)), [view.edits]);
  const extra = useEditedUpdates();
  const extraByLayer = useMemo(() => Map.groupBy(extra, ({ layer }) => layer), [extra]);
  const effects = useEffects(traced, view.sort === "effect" ? (followed.ids[0] ?? null) : null);
  const layers: readonly LayerView[] = effects ?? shownSide(traced)?.layers ?? [];
  const chosen = layerAt(view.layer, layers.length);
  const token = data?.tokens[data.position];
  const leading = data?.output.find(({ id }) => id === followed.ids[0])?.text;
  const arrived = data !== undefined;
  useEffect(() => {
    if (!view.all || view.layer === null) return;
    return settleOn(box.current?.querySelector(`[data-layer="${view.layer}"]`));
  }, [view.all, view.layer, arrived, box]);

  const shown = view.all ? layers : layers.slice(chosen, chosen + 1);
  return (
    <section className={css.panel} data-all={view.all} aria-labelledby="layer-title">
      <div className={css.head}>
        <h2 id="layer-title" className="section-title">
          {view.all ? "All layers" : `Layer ${chosen < 0 ? "" : chosen}`}
        </h2>
        {token !== undefined && (
          <span className="muted">
            at <TokenText text={token.text} /> {data?.position}
          </span>
        )}
        <span className="muted">· {lensName(show === "base" ? traced.aLens : traced.lens)}</span>
        {!view.all && (
          <>
            <IconButton
              label="Next layer"
              hint="↑"
              className="small"
              tabIndex={-1}
              onClick={() => moveLayer(1, layers.length)}
            >
              <ChevronUp aria-hidden />
            </IconButton>
            <IconButton
              label="Previous layer"
              hint="↓"
              className="small"
              tabIndex={-1}
              onClick={() => moveLayer(-1, layers.length)}
            >
              <ChevronDown aria-hidden />
            </IconButton>
          </>
        )}
        <span className="grow" />
        {stale && <Stale what="the run before" />}
        <label className="muted" htmlFor="sort">
          Sort updates by
        </label>
        <select
          id="sort"
          className={`field ${css.sort}`}
          value={view.sort}
          onChange={(event) => setView({ sort: event.target.value as typeof view.sort })}
        >
          <option value="score">size |m|·‖v‖</option>
          <option value="share">share</option>
          <option value="coefficient">coefficient</option>
          <option value="effect">effect on {leading === undefined ? "the followed token" : visible(leading)}</option>
        </select>
        <button
          type="button"
          className="button small"
          aria-pressed={view.all}
          title="Every layer below the other, as in the paper"
          onClick={() => setView({ all: !view.all })}
        >
          <Rows3 aria-hidden />
          All layers
        </button>
      </div>
      {failure !== null && <ErrorNote failure={failure} onRetry={traced.retry} />}
      {stopped && (
        <Cancelled
          said={`Cancelled: ${data === undefined ? "there is nothing to show yet." : "what is shown is the run before."}`}
        />
      )}
      <div
        ref={box}
        className={css.scroll}
        role="group"
        aria-label="Layer panel"
        aria-busy={busy || stale}
        data-stale={stale}
      >
        {shown.map((layer) => (
          <LayerFlow
            key={layer.layer}
            layer={layer}
            position={position}
            previous={layers[layer.layer - 1]}
            base={sideA?.layers[layer.layer]}
            selected={layer.layer === chosen}
            numbered={view.all}
            last={layer.layer === layers.length - 1}
            open={view.value}
            sort={view.sort}
            names={names}
            edited={edited}
            extra={extraByLayer.get(layer.layer)}
            shown={show}
            followed={followed}
          />
        ))}
        {data === undefined && failure === null && !stopped && (
          <Empty title={position < 0 ? "Cutting the prompt into tokens…" : "Running the model…"} />
        )}
      </div>
    </section>
  );
}

/** Scroll to a panel. Panels out of sight have an estimated height, so the place settles over a few frames. */
function settleOn(panel: Element | null | undefined): () => void {
  let frame = 0;
  let left = 8;
  const scroll = () => {
    panel?.scrollIntoView({ block: "nearest" });
    if (--left > 0) frame = requestAnimationFrame(scroll);
  };
  scroll();
  return () => cancelAnimationFrame(frame);
}
