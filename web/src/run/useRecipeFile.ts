// Takes recipes in: one that is kept on the server, or a file. The server checks that a file is this model's and keeps it.
import { useImportRecipe } from "../api/recipes";
import type { SavedRecipe } from "../api/types";
import { editsOfTexts } from "../domain/run";
import { addToEdits } from "./edits";

/** Put a recipe's edits into the list as a group of its name. */
export function loadRecipe(recipe: SavedRecipe): void {
  addToEdits(editsOfTexts(recipe.interventions), recipe.name);
}

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
