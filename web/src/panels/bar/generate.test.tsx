// @vitest-environment jsdom
import "../../test-setup";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { GenerateMenu } from "./GenerateMenu";
import {
  continueAgain,
  stopGeneration,
  useContinuing,
  useGeneration,
  type GenerationRequest,
} from "../../run/generation";
import { setView, useView } from "../../run/view";

const TOKEN = { id: 1, text: " so", logprob: -1 };
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const whole = (count: number) =>
  new Response(event("result", { tokens: Array.from({ length: count }, () => TOKEN), warnings: [] }));

function Page() {
  const { generate } = useView();
  const asked = generate === 0 ? null : ({ prompt: "And", max_new_tokens: generate } as GenerationRequest);
  useContinuing(asked);
  const { tokens, error, running } = useGeneration();
  const generating = (count: number) => {
    setView({ generate: count });
    continueAgain();
  };
  return (
    <>
      <GenerateMenu prompt="And" onGenerate={generating} />
      <output>{running ? "running" : (error?.what ?? `${tokens.length} tokens`)}</output>
    </>
  );
}

function open(answers: () => Promise<Response>) {
  vi.stubGlobal("fetch", vi.fn(answers));
  setView({ generate: 0 });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Page />
    </QueryClientProvider>,
  );
}

const says = (text: string) => waitFor(() => expect(screen.getByRole("status").textContent).toBe(text));
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

it("generates as many tokens again where that went wrong", async () => {
  const answers = [new Response("{}", { status: 500 }), new Response(event("token", TOKEN)), whole(10)];
  open(() => Promise.resolve(answers.shift() ?? whole(0)));
  press("Generate 10");
  await says("The server answered 500 .");
  press("Generate 10");
  await says("The answer ended before its result.");
  press("Generate 10");
  await says("10 tokens");
  press("Generate 10"); // all is there: nothing is asked for
  expect(answers).toEqual([]);
  expect(fetch).toHaveBeenCalledTimes(3);
});

it("generates as many tokens again where somebody stopped it", async () => {
  const half = new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode(event("token", TOKEN))),
  });
  const answers = [new Response(half), whole(10)];
  open(() => Promise.resolve(answers.shift() ?? whole(0)));
  press("Generate 10");
  await says("running");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Stop" })).not.toBeNull());
  await new Promise((done) => setTimeout(done, 20)); // the first token arrives
  stopGeneration();
  await says("1 tokens");
  press("Generate 10");
  await says("10 tokens");
});
