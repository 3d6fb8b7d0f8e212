// Concepts that were kept on the server, to be loaded, downloaded or forgotten, and the way in for a recipe's file.
import { useQuery } from "@tanstack/react-query";
import { Download, Library, X } from "lucide-react";
import { Popover as P } from "radix-ui";
import { recipesQuery, useDeleteRecipe } from "../../api/recipes";
import type { SavedRecipe } from "../../api/types";
import { IconButton, Popover } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { addToEdits } from "../../run/edits";
import { parseEdit } from "../../domain/edit";

/** Put a recipe's edits into the list as a group of its name. */
export function loadRecipe(recipe: SavedRecipe): void {
  const edits = recipe.interventions.flatMap((text) => {
    const found = parseEdit(text);
    return "ok" in found ? [found.ok] : [];
  });
  addToEdits(edits, recipe.name);
}

export function SavedConcepts({ onImport }: { onImport: () => void }) {
  const saved = useQuery(recipesQuery());
  const forget = useDeleteRecipe();
  const recipes = saved.data?.recipes ?? [];
  const trigger = (
    <button type="button" className="button icon quiet small" aria-label="Saved concepts and files">
      <Library aria-hidden />
    </button>
  );
  return (
    <Popover label="Saved concepts" align="end" trigger={trigger}>
      <div className="saved-concepts">
        {saved.error && <ErrorNote failure={saved.error} />}
        {forget.error && <ErrorNote failure={forget.error} />}
        {saved.data !== undefined && recipes.length === 0 && (
          <p className="muted">
            No concept of this model is saved yet. Group edits into a concept, and save it from its menu.
          </p>
        )}
        <ul aria-label="Saved concepts">
          {recipes.map((recipe) => (
            <li key={recipe.id}>
              <P.Close asChild>
                <button
                  type="button"
                  className="saved-concept"
                  title={recipe.note || recipe.interventions.join("\n")}
                  onClick={() => loadRecipe(recipe)}
                >
                  <b>{recipe.name}</b>
                  <span className="muted">{recipe.interventions.length}</span>
                </button>
              </P.Close>
              <a
                className="button icon quiet small"
                href={`/api/recipes/${recipe.id}/file`}
                download
                aria-label={`Download ${recipe.name}`}
              >
                <Download aria-hidden />
              </a>
              <IconButton label={`Forget ${recipe.name}`} className="small" onClick={() => forget.mutate(recipe.id)}>
                <X aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
        <P.Close asChild>
          <button type="button" className="button small" onClick={onImport}>
            Import a file…
          </button>
        </P.Close>
      </div>
    </Popover>
  );
}
