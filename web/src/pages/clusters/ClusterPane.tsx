// One cluster: what it says, who belongs to it, where they are, what it is like; and switching it on.
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useState } from "react";
import { clusterQuery } from "../../api/clusters";
import type { ClusterBrief, Clustering, ClusterView } from "../../api/types";
import { useTheme } from "../../ui/theme";
import { LayerHistogram } from "../../ui/LayerHistogram";
import { Empty, ErrorNote } from "../../ui/notes";
import { short, thousands } from "../../domain/numbers";
import { WordCloud } from "../../ui/WordCloud";
import { ExploreLink } from "../../panels/links/links";
import { useExplore } from "../../run/explore";
import { Projection } from "../../panels/unit/Projection";
import { AddCluster } from "./AddCluster";
import { ClusterName } from "./ClusterName";
import { layerColour, type Layers, shownName } from "./mapPaint";
import { Members } from "./Members";
import css from "./clusters.module.css";

interface Props {
  clustering: Clustering;
  brief: ClusterBrief;
  layers: Layers;
  /** The clusters of the list, in its order. */
  listed: readonly ClusterBrief[];
  onPoint: (id: number | null) => void;
}

/** Members shown at first, and the most that the server lists. */
const FEW = 25;
const MOST = 1000;
const BARS = 15;

export function ClusterPane({ clustering, brief, layers, listed, onPoint }: Props) {
  const [members, show] = useState(FEW);
  const { data, error, refetch } = useQuery(clusterQuery(clustering, brief.id, members));
  return (
    <section className={`${css.clusterSide} ${css.clusterPane}`} aria-labelledby="cluster-title">
      <Head brief={brief} layers={layers} listed={listed} />
      {error !== null && <ErrorNote failure={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Empty title="Reading the cluster…" />}
      {data !== undefined && (
        <>
          <AddCluster clustering={clustering} brief={brief} />
          <Words view={data} />
          <section aria-labelledby="cluster-layers">
            <h3 id="cluster-layers" className="section-title">
              Layers
            </h3>
            <LayerHistogram counts={data.layers} label="members" />
          </section>
          <Members
            members={data.members}
            size={brief.size}
            onMore={
              members < Math.min(brief.size, MOST)
                ? () => show(members === FEW ? Math.min(200, MOST) : MOST)
                : undefined
            }
          />
          <Neighbours view={data} clusters={clustering.clusters} onPoint={onPoint} />
        </>
      )}
    </section>
  );
}

function Head({ brief, layers, listed }: Pick<Props, "brief" | "layers" | "listed">) {
  const state = useExplore();
  const dark = useTheme() === "dark";
  const place = listed.findIndex(({ id }) => id === brief.id);
  const step = (by: number) => (place < 0 ? undefined : listed[place + by]);
  return (
    <header className={css.paneHead}>
      <nav aria-label="Clusters">
        <ExploreLink className="button small quiet" to={{ ...state, cluster: null }}>
          <ChevronLeft aria-hidden />
          All clusters
        </ExploreLink>
        <span className="grow" />
        {[step(-1), step(1)].map(
          (other, index) =>
            other !== undefined && (
              <ExploreLink
                key={index}
                className="button small icon"
                to={{ ...state, cluster: other.id }}
                aria-label={`${index === 0 ? "Previous" : "Next"}: ${shownName(other.name)}`}
                title={shownName(other.name)}
              >
                {index === 0 ? <ChevronLeft aria-hidden /> : <ChevronRight aria-hidden />}
              </ExploreLink>
            ),
        )}
      </nav>
      <ClusterName brief={brief} />
      <p className="muted">
        <i className={css.layerDot} style={{ background: layerColour(brief.layer, layers, dark) }} />
        {thousands(brief.size)} {brief.size === 1 ? "vector" : "vectors"} ·{" "}
        <span title="mean cosine of the members with their centre">cohesion {short(brief.cohesion)}</span> · mean layer{" "}
        {short(brief.layer)}
      </p>
    </header>
  );
}

function Words({ view }: { view: ClusterView }) {
  const [all, showAll] = useState(false);
  const shown = all ? view.promotes.length : BARS;
  return (
    <section aria-labelledby="cluster-words">
      <h3 id="cluster-words" className="section-title">
        What its centre promotes
      </h3>
      <WordCloud
        label="Promotes"
        words={view.promotes.map(({ text, logit }) => ({ text, weight: logit }))}
        height={190}
      />
      <Projection promotes={view.promotes.slice(0, shown)} suppresses={view.suppresses.slice(0, shown)} />
      {!all && view.promotes.length > BARS && (
        <button type="button" className="button small quiet" onClick={() => showAll(true)}>
          Show all {view.promotes.length}
        </button>
      )}
    </section>
  );
}

interface NeighboursProps {
  view: ClusterView;
  clusters: readonly ClusterBrief[];
  onPoint: (id: number | null) => void;
}

function Neighbours({ view, clusters, onPoint }: NeighboursProps) {
  const opposite = view.opposite ?? null;
  if (view.similar.length === 0) return null;
  return (
    <section aria-labelledby="cluster-similar">
      <h3 id="cluster-similar" className="section-title">
        Similar clusters
      </h3>
      <ul className={css.neighbours} aria-labelledby="cluster-similar">
        {view.similar.map((id) => (
          <li key={id}>
            <Neighbour cluster={clusters[id]} onPoint={onPoint} />
          </li>
        ))}
      </ul>
      {opposite !== null && (
        <>
          <h3 className="section-title">
            Most opposite <span className="muted">cosine {short(opposite[1])}</span>
          </h3>
          <Neighbour cluster={clusters[opposite[0]]} onPoint={onPoint} />
        </>
      )}
    </section>
  );
}

function Neighbour({ cluster, onPoint }: { cluster: ClusterBrief | undefined; onPoint: (id: number | null) => void }) {
  const state = useExplore();
  if (cluster === undefined) return null;
  return (
    <ExploreLink
      className={css.neighbour}
      to={{ ...state, cluster: cluster.id }}
      onMouseEnter={() => onPoint(cluster.id)}
      onMouseLeave={() => onPoint(null)}
      onFocus={() => onPoint(cluster.id)}
      onBlur={() => onPoint(null)}
    >
      {shownName(cluster.name)} <small className="muted">{thousands(cluster.size)}</small>
    </ExploreLink>
  );
}
