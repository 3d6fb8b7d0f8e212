// A thin bar while the model works for more than a moment, with what it does and a way to stop it.
import { useIsFetching, useIsMutating, useQuery, useQueryClient } from "@tanstack/react-query";
import { healthQuery } from "../api/queries";
import { useCurrentSession } from "../features/session/context";
import { useLasting } from "../ui/hooks";

const MOMENT = 300;
const QUIET = new Set(["health", "names", "runs", "examples", "model"]);

export function Busy() {
  const client = useQueryClient();
  const { generation } = useCurrentSession();
  const fetching = useIsFetching({ predicate: ({ queryKey }) => !QUIET.has(String(queryKey[0])) });
  const mutating = useIsMutating();
  const busy = useLasting(fetching + mutating > 0 || generation.running, MOMENT);
  const { data } = useQuery({ ...healthQuery(), ...(busy ? { refetchInterval: 700 } : {}) });
  if (!busy) return <div className="busy" />;
  const known = data !== undefined && data.step !== "";
  const part = known && data.total > 0 ? data.done / data.total : null;
  return (
    <div className="busy on">
      <div
        role="progressbar"
        aria-label={known ? data.step : "The model is at work"}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={part === null ? undefined : Math.round(part * 100)}
        className={part === null ? "busy-bar moving" : "busy-bar"}
        style={part === null ? undefined : { width: `${part * 100}%` }}
      />
      {known && (
        <span className="busy-step">
          {data.step} {part !== null && `${Math.round(part * 100)}%`}
          <button type="button" className="button small" onClick={() => void client.cancelQueries()}>
            Cancel
          </button>
        </span>
      )}
    </div>
  );
}
