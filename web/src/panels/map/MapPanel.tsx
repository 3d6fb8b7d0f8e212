// The map with its head: which view, what its colours mean, how much of it is there.
import { scaleOf } from "../../domain/cells";
import { useTrace } from "../../run/useTrace";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import { Stale } from "../../ui/Stale";
import { Trajectory } from "../trajectory/Trajectory";
import { Legend } from "./Legend";
import { LensMap } from "./LensMap";
import { useProgress } from "../../run/progress";
import css from "./map.module.css";

export function MapPanel() {
  const view = useView();
  const { length, show, stale, sideA, data } = useTrace();
  const { done, total } = useProgress();
  const difference = show === "difference";
  const token = view.followed[0] ?? sideA?.output[0]?.id;
  const text = [...(sideA?.output ?? []), ...(data?.output ?? [])].find(({ id }) => id === token)?.text;
  const named = (difference && view.colour !== "entropy") || view.colour === "rank";
  return (
    <section className={css.panel} aria-label="Map of layers and tokens">
      <div className={css.head}>
        <Segments
          label="View"
          value={view.panel}
          options={[
            { value: "grid", label: "Map" },
            { value: "trajectory", label: "Trajectory" },
          ]}
          onChange={(panel) => setView({ panel })}
        />
        {view.panel === "grid" ? (
          <>
            <Segments
              label="Colour by"
              value={view.colour}
              options={[
                { value: "probability", label: "Probability" },
                { value: "token", label: "Token", title: "Where the followed tokens are the most probable" },
                { value: "entropy", label: "Entropy" },
                { value: "rank", label: "Rank", title: "Rank of the first followed token" },
              ]}
              onChange={(colour) => setView({ colour })}
            />
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
        ) : (
          <>
            <Segments
              label="Measure"
              value={view.measure}
              options={[
                { value: "probability", label: "Probability" },
                { value: "rank", label: "Rank" },
              ]}
              onChange={(measure) => setView({ measure })}
            />
            <span className="grow" />
            {stale && <Stale what="the run before" />}
          </>
        )}
      </div>
      {view.panel === "grid" ? <LensMap length={length} /> : <Trajectory />}
    </section>
  );
}
