// The clusters of the model's value vectors: made when there are none, else browsed on a map and in a list.
import { useQuery } from "@tanstack/react-query";
import { clustersQuery } from "../../api/clusters";
import { modelQuery } from "../../api/queries";
import { Empty, ErrorNote } from "../../ui/notes";
import { thousands } from "../../domain/numbers";
import { ClusterBrowser } from "./ClusterBrowser";
import { MakeClusters } from "./MakeClusters";
import css from "./clusters.module.css";

export function ClustersPage() {
  const { data, error, refetch } = useQuery(clustersQuery());
  if (error !== null) return <ErrorNote failure={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Empty title="Reading the clusters…" />;
  return data === null ? <NoClusters /> : <ClusterBrowser key={`${data.k} ${data.seed}`} clustering={data} />;
}

function NoClusters() {
  const { data } = useQuery(modelQuery(true));
  return (
    <section className={css.noClusters} aria-labelledby="no-clusters">
      <h1 id="no-clusters">See what the model can say, sorted</h1>
      <p>
        Value vectors that point the same way in the residual stream promote the same words.
        {data === undefined ? " All" : ` All ${thousands(data.model.value_vectors)}`} vectors are put into groups by
        their direction; each group is named by the words that set it apart, and lies on a map near those that are like
        it. A whole group can be switched on in a prediction.
      </p>
      <MakeClusters />
      <p className="muted">
        Spherical k-means over the weights themselves: seconds for a small model, minutes for a large one. It is done
        once and kept.
      </p>
    </section>
  );
}
