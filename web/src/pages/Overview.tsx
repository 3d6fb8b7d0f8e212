// The upper half of the middle: the lens grid or the trajectories, with the choices that belong to each.
import { LensGrid } from "../panels/map/LensGrid";
import { useCurrentSession } from "../run/context";
import { Trajectory } from "../panels/trajectory/Trajectory";
import { setView } from "../run/view";
import { Segments } from "../ui/controls";
import { TokenText } from "../ui/TokenText";

export function Overview() {
  const { view, grid, chosen } = useCurrentSession();
  const token = grid.data?.token;
  return (
    <section className="overview" aria-label="All layers at a glance">
      <div className="overview-head">
        <Segments
          label="View"
          value={view.panel}
          options={[
            { value: "grid", label: "Lens grid" },
            { value: "trajectory", label: "Trajectory" },
          ]}
          onChange={(panel) => setView({ panel })}
        />
        <span className="grow" />
        {view.panel === "grid" ? (
          <>
            {view.colour === "rank" && token && chosen === token.id && (
              <span className="muted">
                rank of <TokenText text={token.text} />
              </span>
            )}
            <Segments
              label="Colour by"
              value={view.colour}
              options={[
                { value: "probability", label: "Probability" },
                { value: "entropy", label: "Entropy" },
                { value: "rank", label: "Rank", title: "Rank of the first followed token" },
              ]}
              onChange={(colour) => setView({ colour })}
            />
          </>
        ) : (
          <Segments
            label="Measure"
            value={view.measure}
            options={[
              { value: "probability", label: "Probability" },
              { value: "rank", label: "Rank" },
            ]}
            onChange={(measure) => setView({ measure })}
          />
        )}
      </div>
      {view.panel === "grid" ? <LensGrid /> : <Trajectory />}
    </section>
  );
}
