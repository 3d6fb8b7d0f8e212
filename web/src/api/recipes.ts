// What the page asks of the server about recipes, as TanStack queries: list, keep, forget, take a file in.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "./client";
import type { PostBody, Recipes, SavedRecipe } from "./types";

export const recipesQuery = () =>
  queryOptions({
    queryKey: ["recipes"],
    queryFn: ({ signal }) => request<Recipes>("GET", "api/recipes", { signal }),
    staleTime: 15_000,
  });

/** Keep a recipe: a new one, or in place of the one with the id. */
export function useSaveRecipe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: { id?: number | undefined } & PostBody<"/api/recipes">) =>
      id === undefined
        ? request<SavedRecipe>("POST", "api/recipes", { body })
        : request<SavedRecipe>("PUT", `api/recipes/${id}`, { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["recipes"] }),
  });
}

export function useDeleteRecipe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => request<undefined>("DELETE", `api/recipes/${id}`),
    onSuccess: () => client.invalidateQueries({ queryKey: ["recipes"] }),
  });
}

export function useImportRecipe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (file: File) =>
      request<SavedRecipe>("POST", "api/recipes/import", { body: { text: await file.text() } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["recipes"] }),
  });
}
