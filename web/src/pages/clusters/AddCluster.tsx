// A whole cluster, or its closest members, as edits in a group of the cluster's name.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { clusterQuery } from "../../api/clusters";
import type { ClusterBrief, Clustering } from "../../api/types";
import { Segments } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { thousands } from "../../domain/numbers";
import { addToEdits } from "../../run/edits";
import { shownName } from "./mapPaint";
import css from "./clusters.module.css";

/** The server takes no more edits at once. */
const MOST = 256;
const CLOSEST = [5, 10, 25];

export function AddCluster({ clustering, brief }: { clustering: Clustering; brief: ClusterBrief }) {
  const client = useQueryClient();
  const all = Math.min(brief.size, MOST);
  const numbers = [...CLOSEST.filter((number) => number < all), all];
  const [count, setCount] = useState(Math.min(10, all));
  const add = useMutation({
    mutationFn: () => client.fetchQuery(clusterQuery(clustering, brief.id, count)),
    onSuccess: ({ members }) =>
      addToEdits(
        members.slice(0, count).map(({ value }) => ({ value, operation: "on" })),
        shownName(brief.name),
      ),
  });
  return (
    <div className={css.addCluster}>
      <button
        type="button"
        className="button primary"
        title="Switch these members on, as one concept"
        disabled={add.isPending}
        onClick={() => add.mutate()}
      >
        <Plus aria-hidden />
        Add to edits
      </button>
      {numbers.length > 1 && (
        <Segments
          label="How many members"
          value={String(count)}
          options={numbers.map((number) => ({
            value: String(number),
            label: number === brief.size ? `all ${thousands(number)}` : `closest ${number}`,
            title: `Switch ${number === brief.size ? "all members" : `the ${number} closest to the centre`} on`,
          }))}
          onChange={(value) => setCount(Number(value))}
        />
      )}
      {add.error !== null && <ErrorNote failure={add.error} />}
    </div>
  );
}
