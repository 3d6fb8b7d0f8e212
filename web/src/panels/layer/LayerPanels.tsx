// All layers at the chosen position, in one scroll. Scrolls to the chosen layer; each panel is LayerPanel's.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import type { LayerView } from "../../api/types";
import { Segments } from "../../ui/controls";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { isInForce } from "../../domain/concept";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";
import { LayerPanel } from "./LayerPanel";
import { useEditedUpdates } from "../../run/useEditedUpdates";
import "./layers.css";

export function LayerPanels() {
  const { view, trace, compare, names, followed, position, edited } = useCurrentSession();
  const box = useRef<HTMLDivElement>(null);
  const data = trace.data;
  const arrived = data !== undefined;
  const client = useQueryClient();
  const runAgain = () =>
    void client.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "pending" });
  const stopped =
    trace.isEnabled && trace.fetchStatus === "idle" && !trace.error && (!arrived || trace.isPlaceholderData);
  useEffect(() => {
    if (view.layer === null) return;
    return settleOn(box.current?.querySelector(`[data-layer="${view.layer}"]`));
  }, [view.layer, arrived]);
  const editedValues = useMemo(() => new Set(view.edits.filter(isInForce).map(({ value }) => value)), [view.edits]);
  const extra = useEditedUpdates();
  const extraByLayer = useMemo(() => Map.groupBy(extra, (update) => update.layer), [extra]);
  const followedPlaces = useMemo(() => new Map(followed.map((id, index) => [id, index])), [followed]);

  const shown: readonly LayerView[] = (compare === "base" ? data?.baseline?.layers : data?.layers) ?? [];
  const token = data?.tokens[data.position];
  const leading = data?.output.find(({ id }) => id === followed[0])?.text;
  const effectName = leading === undefined ? "the followed token" : visible(leading);
  return (
    <section className="layers" aria-labelledby="layers-title">
      <div className="layers-head">
        <h2 id="layers-title" className="section-title">
          Layers
        </h2>
        {token !== undefined && (
          <span className="muted layers-where">
            at position {data?.position} <TokenText text={token.text} />
          </span>
        )}
        <span className="grow" />
        <label className="muted" htmlFor="sort">
          Sort updates by
        </label>
        <select
          id="sort"
          className="field sort"
          value={view.sort}
          onChange={(event) => setView({ sort: event.target.value as typeof view.sort })}
        >
          <option value="score">size |m|·‖v‖</option>
          <option value="share">share</option>
          <option value="coefficient">coefficient</option>
          <option value="effect">effect on {effectName}</option>
        </select>
        <Segments
          label="Show the run with edits, without, or the difference"
          value={compare}
          options={[
            { value: "base", label: "Base", disabled: !edited },
            { value: "edited", label: "Edited", disabled: !edited },
            { value: "difference", label: "Δ", disabled: !edited, title: "Difference: edited − base" },
          ]}
          onChange={(next) => setView({ compare: next })}
        />
      </div>
      {trace.error && <ErrorNote failure={trace.error} onRetry={() => void trace.refetch()} />}
      {stopped && (
        <Warning>
          Cancelled: {data === undefined ? "there is nothing to show yet." : "what is shown is the run before."}{" "}
          <button type="button" className="button small" onClick={runAgain}>
            Run
          </button>
        </Warning>
      )}
      <div
        className="layers-scroll"
        ref={box}
        tabIndex={0}
        role="group"
        aria-label="Layer panels"
        aria-busy={trace.isFetching}
      >
        {shown.map((layer, index) => (
          <LayerPanel
            key={layer.layer}
            layer={layer}
            position={data?.position ?? position}
            previous={shown[index - 1]}
            base={data?.baseline?.layers[index]}
            selected={view.layer === layer.layer}
            last={index === shown.length - 1}
            open={view.value}
            sort={view.sort}
            names={names}
            edited={editedValues}
            extra={extraByLayer.get(layer.layer)}
            shown={compare}
            followed={followedPlaces}
          />
        ))}
        {data === undefined && !trace.error && !stopped && (
          <Empty title={position < 0 ? "Cutting…" : "Running the model…"} />
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
