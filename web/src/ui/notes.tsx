// What is shown instead of an answer: errors with their cure, warnings, empty regions that say what to do.
import { CircleAlert, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { asApiError } from "../domain/failure";

export function ErrorNote({ failure, onRetry }: { failure: unknown; onRetry?: () => void }) {
  const { what, cure } = asApiError(failure);
  return (
    <div className="note error" role="alert">
      <CircleAlert aria-hidden />
      <span>
        {what} <span className="cure">{cure}</span>{" "}
        {onRetry !== undefined && (
          <button type="button" className="button small" onClick={onRetry}>
            Try again
          </button>
        )}
      </span>
    </div>
  );
}

export function Warning({ children }: { children: ReactNode }) {
  return (
    <div className="note" role="status">
      <TriangleAlert aria-hidden />
      <span>{children}</span>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** Long work was given up; what starts it is where it was. */
export function Stopped() {
  return (
    <p className="muted" role="status">
      Cancelled.
    </p>
  );
}
