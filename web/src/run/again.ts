// What was cancelled is asked for again.
import { useQueryClient } from "@tanstack/react-query";

/** Ask again for what is not there and is not on its way: what was cancelled, and what went wrong. */
export function useRunAgain(): () => void {
  const client = useQueryClient();
  return () =>
    void client.refetchQueries({
      type: "active",
      predicate: ({ state }) => state.fetchStatus === "idle" && state.status !== "success",
    });
}
