// @vitest-environment jsdom
import "../../test-setup";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { Elsewhere } from "./Elsewhere";

afterEach(() => vi.unstubAllGlobals());

/** A server that finds two vectors of a cluster for any word, or none. */
function server(found: readonly string[]) {
  const answer = vi.fn((path: string) => {
    const value = /values\/(\w+)/.exec(path)?.[1];
    const cluster = { id: 7, name: "·school ·class", size: 9, similarity: 0.5 };
    const body = value === undefined ? { results: found.map((one) => ({ value: one })) } : { value, cluster };
    return Promise.resolve(new Response(JSON.stringify(body)));
  });
  vi.stubGlobal("fetch", answer);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Elsewhere word="teacher" />
    </QueryClientProvider>,
  );
}

it("a word that no cluster's name has leads to the clusters that hold it", async () => {
  server(["L1D2", "L3D4"]);
  const link = await screen.findByRole("link", { name: /school/ });
  expect(link.getAttribute("href")).toContain("cluster=7");
  // One link for a cluster, however many of its vectors were found.
  expect(screen.getAllByRole("link", { name: /school/ })).toHaveLength(1);
});

it("where no vector promotes it either, that is said", async () => {
  server([]);
  expect(await screen.findByText(/No value vector promotes it either/)).toBeTruthy();
});
