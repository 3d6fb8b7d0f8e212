// @vitest-environment jsdom
import "../../test-setup";
import { keepPreviousData, QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { wasGivenUp } from "../../run/again";
import { Cancelled, Waiting } from "./Waiting";

const ask = vi.fn<(about: string) => Promise<string>>();

function Answer({ about }: { about: string }) {
  const query = useQuery({
    ...{ queryKey: [about], queryFn: () => ask(about), retry: false, placeholderData: keepPreviousData },
  });
  if (query.data === undefined) return <Waiting query={query} doing="Adding up…" />;
  return (
    <>
      {wasGivenUp(query) && <Cancelled said="Cancelled: that of before." />}
      <p>{query.data}</p>
    </>
  );
}

it("says what the model does, then that it was cancelled, and asks again; over an older answer too", async () => {
  const client = new QueryClient();
  const page = (about: string) => (
    <QueryClientProvider client={client}>
      <Answer about={about} />
    </QueryClientProvider>
  );
  ask.mockImplementationOnce(() => new Promise(() => {}));
  const { rerender } = render(page("one"));
  expect(screen.getByText("Adding up…")).toBeTruthy();
  await client.cancelQueries();
  expect(await screen.findByText("Cancelled.")).toBeTruthy();
  expect(screen.queryByText("Adding up…")).toBeNull();
  ask.mockResolvedValueOnce("the first answer");
  fireEvent.click(screen.getByRole("button", { name: "Run" }));
  expect(await screen.findByText("the first answer")).toBeTruthy();

  ask.mockImplementationOnce(() => new Promise(() => {}));
  rerender(page("two"));
  expect(screen.queryByRole("button", { name: "Run" })).toBeNull();
  await client.cancelQueries();
  expect(await screen.findByText("Cancelled: that of before.")).toBeTruthy();
  ask.mockResolvedValueOnce("the second answer");
  fireEvent.click(screen.getByRole("button", { name: "Run" }));
  expect(await screen.findByText("the second answer")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Run" })).toBeNull();
});
