// Concepts that were kept on the server, to be loaded, downloaded or forgotten, and the way in for a recipe's file.
import { useQuery } from "@tanstack/react-query";
import { Download, Library, X } from "lucide-react";
import { Popover as P } from "radix-ui";
import { recipesQuery, useDeleteRecipe } from "../../api/recipes";
import { IconButton, Popover } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { loadRecipe } from "../../run/useRecipeFile";
import css from "./edits.module.css";

export function SavedConcepts({ onImport }: { onImport: () => void }) {
  const saved = useQuery(recipesQuery());
  const forget = useDeleteRecipe();
  const recipes = saved.data?.recipes ?? [];
  const trigger = (
    <button
      type="button"
      className="button icon quiet small"
      data-rove
      tabIndex={-1}
      aria-label="Saved concepts and files"
    >
      <Library aria-hidden />
    </button>
  );
  return (
    <Popover label="Saved concepts" align="end" trigger={trigger}>
      <div className={css.saved}>
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
                  className={css.load}
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
