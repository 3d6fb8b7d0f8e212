// The map of all clusters beside their list, or beside the one that was opened.
import { useDeferredValue, useMemo, useState } from "react";
import type { Clustering } from "../../api/types";
import { Popover } from "../../ui/controls";
import { Empty } from "../../ui/notes";
import { short, thousands } from "../../domain/numbers";
import { ExploreLink } from "../../panels/links/links";
import { setExplore, useExplore } from "../../run/explore";
import { ClusterList } from "./ClusterList";
import { ClusterMap } from "./ClusterMap";
import { ClusterPane } from "./ClusterPane";
import { MakeClusters } from "./MakeClusters";
import { layersOf } from "./mapPaint";
import { matcher, ordered, readOrder } from "./order";
import css from "./clusters.module.css";

export function ClusterBrowser({ clustering }: { clustering: Clustering }) {
  const state = useExplore();
  const { cluster, clusterSort, clusterFilter } = state;
  const [pointed, point] = useState<number | null>(null);
  const filter = useDeferredValue(clusterFilter);
  const matches = useMemo(() => matcher(filter), [filter]);
  const order = readOrder(clusterSort);
  const listed = useMemo(() => ordered(clustering.clusters.filter(matches), order), [clustering, matches, order]);
  const layers = useMemo(() => layersOf(clustering.clusters), [clustering]);
  const chosen = cluster === null ? undefined : clustering.clusters[cluster];
  return (
    <div className={css.clusters}>
      <section className={css.mapSide} aria-label="Map of clusters">
        <header className={css.mapHead}>
          <h1>{thousands(clustering.k)} clusters</h1>
          <span className="muted" title="mean cosine of all vectors with the centres of their clusters">
            {thousands(clustering.value_vectors)} vectors · cohesion {short(clustering.cohesion)}
          </span>
          <span className="grow" />
          <Popover
            label="Make other clusters"
            align="end"
            trigger={
              <button type="button" className="button small">
                Make others…
              </button>
            }
          >
            <MakeClusters known={clustering} onMade={() => setExplore({ cluster: null })} />
          </Popover>
        </header>
        <ClusterMap
          clusters={clustering.clusters}
          layers={layers}
          matches={matches}
          chosen={chosen?.id ?? null}
          pointed={pointed}
          onPoint={point}
          onOpen={(id) => setExplore({ cluster: id })}
        />
      </section>
      {cluster === null ? (
        <ClusterList
          listed={listed}
          all={clustering.clusters.length}
          most={clustering.clusters[0]?.size ?? 1}
          layers={layers}
          order={order}
          filter={clusterFilter}
          pointed={pointed}
          onPoint={point}
        />
      ) : chosen === undefined ? (
        <section className={css.clusterSide}>
          <Empty title={`There is no cluster ${cluster}`}>
            These clusters are others than those of the link.{" "}
            <ExploreLink to={{ ...state, cluster: null }}>All clusters</ExploreLink>
          </Empty>
        </section>
      ) : (
        <ClusterPane
          key={chosen.id}
          clustering={clustering}
          brief={chosen}
          layers={layers}
          listed={listed}
          onPoint={point}
        />
      )}
    </div>
  );
}
