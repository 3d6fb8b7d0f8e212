// What the page shows until the model is there: progress, or why it cannot be loaded.
import type { Health } from "../api/types";
import { ErrorNote } from "../ui/notes";
import { ApiError } from "../domain/failure";
import css from "./shell.module.css";

export function Starting({ health, failure }: { health: Health | undefined; failure: Error | null }) {
  const error = health?.error;
  if (error) {
    return (
      <main className={css.welcome}>
        <h1>The model could not be loaded</h1>
        <ErrorNote failure={new ApiError(0, error.code, error.what, error.cure)} />
      </main>
    );
  }
  if (failure !== null) {
    return (
      <main className={css.welcome}>
        <h1>Waiting for the server</h1>
        <ErrorNote failure={failure} />
      </main>
    );
  }
  const part = health !== undefined && health.total > 0 ? health.done / health.total : undefined;
  return (
    <main className={css.welcome} aria-busy>
      <h1>Loading the model</h1>
      <p role="status">{health?.step || "Starting"}…</p>
      <progress aria-label={health?.step || "Starting"} value={part} />
    </main>
  );
}
