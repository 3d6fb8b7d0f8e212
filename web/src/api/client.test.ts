import { expect, it } from "vitest";
import { parseEvents } from "./client";

it("cuts a stream of events where they end", () => {
  const { events, rest } = parseEvents(
    'event: token\ndata: {"id":1}\n\n: ping\n\nevent: result\r\ndata: {}\r\n\r\nevent: tok',
  );
  expect(events).toEqual([
    { event: "token", data: { id: 1 } },
    { event: "result", data: {} },
  ]);
  expect(rest).toBe("event: tok");
});
