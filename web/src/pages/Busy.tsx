// A thin bar while the model works for more than a moment, with what it does and a way to stop it.
import { useIsFetching, useIsMutating, useQuery, useQueryClient } from "@tanstack/react-query";
import { stopLongWork, useLongWork } from "../api/longwork";
import { healthQuery } from "../api/queries";
import { useCurrentSession } from "../run/context";
import { useLasting } from "../ui/hooks";

const MOMENT = 300;
const QUIET = new Set(["health", "names", "runs", "examples", "model"]);

export function Busy() {
  const client = useQueryClient();
  const { generation } = useCurrentSession();
  const fetching = useIsFetching({ predicate: ({ queryKey }) => !QUIET.has(String(queryKey[0])) });
  const mutating = useIsMutating();
  const busy = useLasting(fetching + mutating > 0 || generation.running, MOMENT);
  const told = useLongWork();
  // What no request of this page tells: work that another's request began.
  const { data } = useQuery({ ...healthQuery(), ...(busy && told === null ? { refetchInterval: 700 } : {}) });
  if (!busy) return <div className="busy" />;
  const now = told ?? data;
  const known = now !== undefined && now.step !== "";
  const part = known && now.total > 0 ? now.done / now.total : null;
  const cancel = () => {
    stopLongWork();
    void client.cancelQueries();
  };
  return (
    <div className="busy on">
      <div
        role="progressbar"
        aria-label={known ? now.step : "The model is at work"}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={part === null ? undefined : Math.round(part * 100)}
        className={part === null ? "busy-bar moving" : "busy-bar"}
        style={part === null ? undefined : { width: `${part * 100}%` }}
      />
      {known && (
        <span className="busy-step">
          {now.step} {part !== null && `${Math.round(part * 100)}%`}
          <button type="button" className="button small" onClick={cancel}>
            Cancel
          </button>
        </span>
      )}
    </div>
  );
}
