// Takes a recipe's file in: the server checks that it is this model's and keeps it; its edits come into the list.
import { useImportRecipe } from "../api/recipes";
import { loadRecipe } from "../panels/edits/SavedConcepts";

export function useRecipeFile() {
  const taking = useImportRecipe();
  return {
    error: taking.error,
    take: (file: File | undefined) => {
      if (file === undefined) return;
      taking.mutate(file, { onSuccess: loadRecipe });
    },
    reset: taking.reset,
  };
}
