// @vitest-environment jsdom
import "../../test-setup";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { Projection } from "./Projection";

const cold = [{ id: 1, text: " cold", logit: 3 }];
const warm = [{ id: 2, text: " warm", logit: -2 }];

function lists(here: number | undefined) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Projection promotes={cold} suppresses={warm} here={here} />
    </QueryClientProvider>,
  );
  return (name: string) => within(screen.getByRole("list", { name })).getByRole("button").getAttribute("aria-label");
}

it("with a negative coefficient here it promotes what it otherwise suppresses, and says so", () => {
  const first = lists(-1.5);
  expect(first("Promotes")).toMatch(/^·warm/);
  expect(first("Suppresses")).toMatch(/^·cold/);
  expect(screen.getByText(/Its coefficient here is −1.50/)).toBeTruthy();
});

it.each([undefined, 0, 2])("with the coefficient %s it promotes what its vector does", (here) => {
  const first = lists(here);
  expect(first("Promotes")).toMatch(/^·cold/);
  expect(first("Suppresses")).toMatch(/^·warm/);
  expect(screen.queryByText(/Its coefficient here/)).toBeNull();
});
