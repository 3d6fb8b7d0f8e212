// The map with its head: which view of layers and tokens, what its colours mean, how much of it is there.
import { lazy, Suspense } from "react";
import { scaleOf } from "../../domain/cells";
import { lensName } from "../../domain/lens";
import { useProgress } from "../../run/progress";
import { useRun } from "../../run/useRun";
import { useTrace } from "../../run/useTrace";
import { setView, useView, useViewPart } from "../../run/view";
import { Segments } from "../../ui/controls";
import { Empty } from "../../ui/notes";
import { Stale } from "../../ui/Stale";
import { FlowView } from "../flow/FlowView";
import { Threshold } from "../flow/Threshold";
import { LensMenu } from "../lens/LensMenu";
import { HeadsView } from "../heads/HeadsView";
import { PatchView } from "../patch/PatchView";
import { Legend } from "./Legend";
import { LensMap } from "./LensMap";
import css from "./map.module.css";

// The chart's library is a third of the page's script.
const Trajectory = lazy(() => import("../trajectory/Trajectory"));

export function MapPanel() {
  const { panel, measure, split } = useView();
  const { length, stale, compared, lens, aLens, data, failure } = useTrace();
  // The map says so itself; the others would wait for ever.
  const failed = panel !== "grid" && failure !== null && data === undefined;
  return (
    <section className={css.panel} aria-label="Map of layers and tokens">
      <div className={css.head}>
        <Segments
          label="View"
          value={panel}
          options={[
            { value: "grid", label: "Map" },
            { value: "flow", label: "Flow", title: "The routes by which the prediction comes from the tokens" },
            { value: "heads", label: "Heads", title: "What every head attends to and writes" },
            { value: "patch", label: "Patch", title: "Where two prompts part" },
            { value: "trajectory", label: "Trajectory", title: "Followed tokens and watches through the layers" },
          ]}
          onChange={(next) => setView({ panel: next })}
        />
        {panel === "grid" && <MapHead />}
        {panel === "trajectory" && <LensMenu />}
        {panel === "flow" && <Threshold />}
        {panel === "trajectory" && (
          <Segments
            label="Measure"
            value={measure}
            options={[
              { value: "probability", label: "Probability" },
              { value: "rank", label: "Rank" },
              { value: "watches", label: "Watches", title: "Expressions through layers, or along the continuation" },
            ]}
            onChange={(next) => setView({ measure: next })}
          />
        )}
        {panel !== "grid" && (
          <>
            <span className="grow" />
            {stale && <Stale what="the run before" />}
          </>
        )}
      </div>
      {panel === "grid" &&
        (split && compared ? (
          <div className={css.both}>
            <Half side="base" length={length} lens={aLens} />
            <Half side="edited" length={length} lens={lens} />
          </div>
        ) : (
          <LensMap length={length} />
        ))}
      {failed && <Empty title="The model did not run" />}
      {!failed && panel === "flow" && <FlowView />}
      {!failed && panel === "heads" && <HeadsView />}
      {!failed && panel === "patch" && <PatchView />}
      {!failed && panel === "trajectory" && (
        <Suspense fallback={<Empty title="Following tokens through the layers…" />}>
          <Trajectory />
        </Suspense>
      )}
    </section>
  );
}

/** One of two maps side by side. */
function Half({ side, length, lens }: { side: "base" | "edited"; length: number; lens: string }) {
  const { promptLength } = useRun();
  const own = useViewPart("aPrompt") === "";
  // What A would have written is in its lane; the map sets the runs side by side over the same tokens.
  const followsB = side === "base" && own && length > promptLength;
  return (
    <section className={css.half} aria-label={side === "base" ? "Map of A" : "Map of B"}>
      <p>
        <b>{side === "base" ? "A" : "B"}</b>{" "}
        <span className="muted">
          {lensName(lens)}
          {followsB && " · over B’s text"}
        </span>
      </p>
      <LensMap length={length} side={side} />
    </section>
  );
}

function MapHead() {
  const view = useView();
  const { show, stale, sideA, data, compared } = useTrace();
  const { done, total } = useProgress();
  const difference = show === "difference";
  const token = view.followed[0] ?? sideA?.output[0]?.id;
  const text = [...(sideA?.output ?? []), ...(data?.output ?? [])].find(({ id }) => id === token)?.text;
  const named = (difference && view.colour !== "entropy") || view.colour === "rank";
  return (
    <>
      <LensMenu />
      <select
        id="colour"
        className={`field ${css.colour}`}
        aria-label="Colour by"
        value={view.colour}
        onChange={(event) => setView({ colour: event.target.value as typeof view.colour })}
      >
        <option value="probability">probability</option>
        <option value="token">followed tokens</option>
        <option value="entropy">entropy</option>
        <option value="rank">rank</option>
      </select>
      {compared && (
        <button
          type="button"
          className="button small"
          aria-pressed={view.split}
          title="A beside B"
          data-more
          onClick={() => setView({ split: !view.split })}
        >
          A | B
        </button>
      )}
      <span className="grow" />
      {stale ? (
        <Stale what="the run before" />
      ) : (
        total > done && (
          <span className={css.progress} role="status">
            {done} of {total} columns
          </span>
        )
      )}
      {(view.colour !== "token" || difference) && (
        <Legend
          scale={scaleOf(view.colour, difference)}
          hue={difference ? "change" : view.colour}
          of={named ? text : undefined}
        />
      )}
    </>
  );
}
