// The cluster of a vector, as a link to it; or a link to where clusters are made.
import type { NamedValue } from "../../api/types";
import { short, thousands } from "../../domain/numbers";
import { ExploreLink } from "../links/links";
import css from "./unit.module.css";

export function ClusterLine({ cluster }: { cluster: NamedValue["cluster"] }) {
  return (
    <section className={css.clusterLine}>
      <h3 className="section-title">Cluster</h3>
      {cluster ? (
        <p>
          <ExploreLink to={{ tab: "clusters", cluster: cluster.id }}>{cluster.name}</ExploreLink>{" "}
          <span className="muted">
            {thousands(cluster.size)} vectors, cosine {short(cluster.cosine)} with their centre
          </span>
        </p>
      ) : (
        <p className="muted">
          Not clustered yet. <ExploreLink to={{ tab: "clusters" }}>Make clusters</ExploreLink>
        </p>
      )}
    </section>
  );
}
