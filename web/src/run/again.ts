// What was cancelled is asked for again.
import { useQueryClient } from "@tanstack/react-query";

export function useRunAgain(): () => void {
  const client = useQueryClient();
  return () => void client.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "pending" });
}
