// A thin bar while the model works for more than a moment, with what it does and a way to stop it.
import { useIsFetching, useIsMutating, useQuery, useQueryClient } from "@tanstack/react-query";
import { stopLongWork, useLongWork } from "../api/longwork";
import { healthQuery } from "../api/queries";
import { useGeneration } from "../run/generation";
import { useProgress } from "../run/progress";
import { useLasting } from "../ui/hooks";
import css from "./shell.module.css";

const MOMENT = 300;
const QUIET = new Set(["health", "names", "runs", "examples", "model"]);

export function Busy() {
  const client = useQueryClient();
  const { running } = useGeneration();
  const columns = useProgress();
  const fetching = useIsFetching({ predicate: ({ queryKey }) => !QUIET.has(String(queryKey[0])) });
  const mutating = useIsMutating();
  const busy = useLasting(fetching + mutating > 0 || running || columns.done < columns.total, MOMENT);
  const told = useLongWork();
  // What no request of this page tells: work that another's request began.
  const { data } = useQuery({ ...healthQuery(), ...(busy && told === null ? { refetchInterval: 700 } : {}) });
  if (!busy) return <div className={css.busy} data-busy={false} />;
  const now = told ?? data;
  const known = now !== undefined && now.step !== "";
  const part = known && now.total > 0 ? now.done / now.total : null;
  const cancel = () => {
    stopLongWork();
    void client.cancelQueries();
  };
  return (
    <div className={css.busy} data-busy>
      <div
        role="progressbar"
        aria-label={known ? now.step : "The model is at work"}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={part === null ? undefined : Math.round(part * 100)}
        className={part === null ? `${css.busyBar} ${css.moving}` : css.busyBar}
        style={part === null ? undefined : { width: `${part * 100}%` }}
      />
      {known && (
        <span className={css.busyStep}>
          {now.step} {part !== null && `${Math.round(part * 100)}%`}
          <button type="button" className="button small" onClick={cancel}>
            Cancel
          </button>
        </span>
      )}
    </div>
  );
}
