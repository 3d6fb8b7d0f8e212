// @vitest-environment jsdom
import "../test-setup";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { useStoppable } from "./stoppable";

/** Like a request: never answered by itself, and an AbortError where it is given up. */
const endless = (signal: AbortSignal) =>
  new Promise<string>((_, fail) =>
    signal.addEventListener("abort", () => fail(new DOMException("aborted", "AbortError"))),
  );

function Work({ ask }: { ask: (signal: AbortSignal) => Promise<string> }) {
  const work = useStoppable((_: null, signal) => ask(signal));
  return (
    <>
      <button onClick={() => work.mutate(null)}>Start</button>
      <button onClick={work.cancel}>Stop</button>
      <output>
        {work.isPending ? "working" : work.stopped ? "cancelled" : (work.error?.message ?? work.data ?? "nothing")}
      </output>
    </>
  );
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

it("says that it was cancelled, not that it failed, and answers when it is started again", async () => {
  const ask = vi.fn(endless);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Work ask={ask} />
    </QueryClientProvider>,
  );
  expect(screen.getByText("nothing")).toBeTruthy();
  press("Start");
  await screen.findByText("working");
  press("Stop");
  await screen.findByText("cancelled");
  ask.mockResolvedValueOnce("the answer");
  press("Start");
  await screen.findByText("the answer");
  ask.mockRejectedValueOnce(new Error("broken"));
  press("Start");
  await screen.findByText("broken");
});
