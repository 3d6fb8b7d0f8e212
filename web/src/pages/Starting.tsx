// What the page shows until the model is there: progress, or why it cannot be loaded.
import type { Health } from "../api/types";
import { ErrorNote } from "../ui/notes";
import { ApiError } from "../api/client";

export function Starting({ health, failure }: { health: Health | undefined; failure: Error | null }) {
  const error = health?.error;
  if (error) {
    return (
      <main className="welcome">
        <h1>The model could not be loaded</h1>
        <ErrorNote failure={new ApiError(0, error.code, error.what, error.cure)} />
      </main>
    );
  }
  if (failure !== null) {
    return (
      <main className="welcome">
        <h1>Waiting for the server</h1>
        <ErrorNote failure={failure} />
      </main>
    );
  }
  const part = health !== undefined && health.total > 0 ? health.done / health.total : undefined;
  return (
    <main className="welcome" aria-busy>
      <h1>Loading the model</h1>
      <p role="status">{health?.step || "Starting"}…</p>
      <progress aria-label={health?.step || "Starting"} value={part} />
    </main>
  );
}
