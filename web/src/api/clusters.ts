// What the page asks about clusters of value vectors, as TanStack queries.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, request } from "./client";
import { longWork } from "./longwork";
import { useStoppable } from "./stoppable";
import type { ClusterBrief, Clustering, ClusterView, PostBody } from "./types";

/** The clusters that were made of the model; null while there are none. */
export const clustersQuery = () =>
  queryOptions({
    queryKey: ["clusters"],
    queryFn: async ({ signal }) => {
      try {
        return await request<Clustering>("GET", "api/clusters", { signal });
      } catch (failure) {
        if (failure instanceof ApiError && failure.code === "no_clusters") return null;
        throw failure;
      }
    },
    staleTime: 30_000,
  });

/** One cluster with its members, closest first, at most so many. */
export const clusterQuery = (clustering: Clustering, id: number, members: number) =>
  queryOptions({
    queryKey: ["cluster", clustering.k, clustering.seed, id, members],
    queryFn: ({ signal }) => request<ClusterView>("GET", `api/clusters/${id}?members=${members}`, { signal }),
    staleTime: 30_000,
    placeholderData: (previous) => (previous?.brief.id === id ? previous : undefined),
  });

/** The key of the mutation that makes clusters: whoever shows it need not have begun it. */
export const MAKING = ["make clusters"];

/** Make clusters. That somebody stopped it is no error: the answer is null. */
export function useMakeClusters() {
  const client = useQueryClient();
  return useStoppable((body: PostBody<"/api/clusters">, signal) => longWork<Clustering>("api/clusters", body, signal), {
    key: MAKING,
    onFound: async (made) => {
      client.setQueryData(clustersQuery().queryKey, made);
      client.removeQueries({ queryKey: ["cluster"] });
      await client.invalidateQueries({ queryKey: ["value"] });
    },
  });
}

/** Name a cluster; "" gives its automatic name back. */
export function useRenameCluster() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: number; name: string }) =>
      request<ClusterBrief>("PUT", `api/clusters/${id}/name`, { body: { name } }),
    onSuccess: () =>
      Promise.all(["clusters", "cluster", "value"].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
}
