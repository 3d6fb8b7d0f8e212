// What was cancelled is asked for again.
import { useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { continueAgain } from "./generation";

/** Ask again for what is not there and is not on its way: what was cancelled, and what went wrong. */
export function useRunAgain(): () => void {
  const client = useQueryClient();
  return () => {
    continueAgain();
    void client.refetchQueries({
      type: "active",
      predicate: ({ state }) => state.fetchStatus === "idle" && state.status !== "success",
    });
  };
}

type Asked = Pick<UseQueryResult, "isEnabled" | "fetchStatus" | "error" | "data" | "isPlaceholderData">;

/** Somebody cancelled it: it has no answer of its own, and none is on its way. */
export const wasGivenUp = ({ isEnabled, fetchStatus, error, data, isPlaceholderData }: Asked): boolean =>
  isEnabled && fetchStatus === "idle" && error === null && (data === undefined || isPlaceholderData);
