// @vitest-environment jsdom
import "../test-setup";
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { useRunAgain } from "./again";

function Asking({ name, ask }: { name: string; ask: () => Promise<string> }) {
  const { data, error } = useQuery({ queryKey: [name], queryFn: ask, retry: false, staleTime: Infinity });
  return <output aria-label={name}>{error !== null ? "failed" : (data ?? "nothing")}</output>;
}

function Run() {
  const again = useRunAgain();
  return <button onClick={again}>Run</button>;
}

it("asks again for what was cancelled and what failed, and for nothing that is there", async () => {
  const client = new QueryClient();
  const cancelled = vi.fn(() => new Promise<string>(() => {}));
  const failed = vi.fn(() => Promise.reject<string>(new Error("stopped elsewhere")));
  const there = vi.fn(() => Promise.resolve("there"));
  render(
    <QueryClientProvider client={client}>
      <Asking name="measuring" ask={cancelled} />
      <Asking name="trace" ask={failed} />
      <Asking name="lenses" ask={there} />
      <Run />
    </QueryClientProvider>,
  );
  const text = (name: string) => screen.getByRole("status", { name }).textContent;
  await waitFor(() => expect([text("trace"), text("lenses")]).toEqual(["failed", "there"]));
  await client.cancelQueries();
  expect(text("measuring")).toBe("nothing");
  cancelled.mockResolvedValueOnce("measured");
  failed.mockResolvedValueOnce("traced");
  fireEvent.click(screen.getByRole("button", { name: "Run" }));
  await waitFor(() => expect([text("measuring"), text("trace")]).toEqual(["measured", "traced"]));
  expect(there).toHaveBeenCalledTimes(1);
});
