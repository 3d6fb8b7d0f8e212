// The patch map that the view asks for: another prompt's activations, one at a time, in place of this run's.
import { useQuery } from "@tanstack/react-query";
import { patchQuery } from "../api/attribution";
import { useTrace } from "./useTrace";
import { useView } from "./view";

export function usePatch() {
  const { source, part, target, versus } = useView();
  const { b, position, data, stale, show } = useTrace();
  const ready = data !== undefined && !stale;
  const asked = { source, part, position, target, versus };
  const query = useQuery(patchQuery(ready ? b : null, asked));
  return {
    ...{ source, part, show },
    map: query.data,
    failure: query.error,
    waiting: query.isFetching,
    stale: query.data !== undefined && !ready,
    stopped: query.isEnabled && query.fetchStatus === "idle" && query.data === undefined && query.error === null,
    retry: () => void query.refetch(),
  };
}
