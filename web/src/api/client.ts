// Talks HTTP: JSON in, JSON out, one error class. Knows no React and nothing of what is shown.
import { ApiError } from "../domain/failure";

export { ApiError, asApiError } from "../domain/failure";

const UNREACHABLE = "Check that `lm-debugger serve` is still running; the page connects again by itself.";

async function failureOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const detail = (body as { error?: { code?: string; what?: string; cure?: string } } | null)?.error;
  return new ApiError(
    response.status,
    detail?.code ?? "http",
    detail?.what ?? `The server answered ${response.status} ${response.statusText}.`,
    detail?.cure ?? "",
  );
}

/** Send a request; the answer's body is left to the caller. */
async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: options.accept ?? "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(`/${path}`, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    throw new ApiError(0, "unreachable", "The server cannot be reached.", UNREACHABLE);
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

interface RequestOptions {
  body?: unknown;
  signal?: AbortSignal;
  accept?: string;
}

/** A request that is answered with JSON (or with nothing). */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export interface StreamEvent {
  event: string;
  data: unknown;
}

/** Cut a stream of server-sent events into events; what is not complete yet is given back as `rest`. */
export function parseEvents(text: string): { events: StreamEvent[]; rest: string } {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events: StreamEvent[] = [];
  for (const block of blocks) {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) event = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
    }
    if (data.length > 0) events.push({ event, data: JSON.parse(data.join("\n")) });
  }
  return { events, rest };
}

/** A request that is answered with server-sent events. An `error` event is thrown. */
export async function* stream(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  const response = await send("POST", path, { body, signal, accept: "text/event-stream" });
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    const { events, rest } = parseEvents(pending + (value ?? "") + (done ? "\n\n" : ""));
    pending = rest;
    for (const found of events) {
      if (found.event === "error") throw errorOfEvent(found.data);
      yield found;
    }
    if (done) return;
  }
}

/** A stream that ended although its result had not come. */
export const cutShort = (): ApiError =>
  new ApiError(0, "cut_short", "The answer ended before its result.", "Try again; the server’s terminal may say why.");

function errorOfEvent(data: unknown): ApiError {
  const body = data as { error?: { code: string; what: string; cure: string } };
  const detail = body.error ?? (data as { code: string; what: string; cure: string });
  return new ApiError(200, detail.code, detail.what, detail.cure);
}
