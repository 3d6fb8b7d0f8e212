// How smoothly a large model's lens grid, 80 layers × 1,000 tokens, scrolls and answers the mouse. Only its numbers are made
// up. A measurement, `npm run bench`: what else the machine does decides it too, so it is no test.
import { expect, test, type Page } from "@playwright/test";
import { address, answered, WIFE } from "./pages";

const LAYERS = 80;
const TOKENS = 1000;
const TEXTS = 5000;

/** Milliseconds. A frame of a screen with 60 Hz is 17; a fifth of a second without one is felt. */
const AIM = { median: 34, longestTask: 200 };

function madeUp(): object {
  const rows = <T>(cell: (layer: number, position: number) => T): T[][] =>
    Array.from({ length: LAYERS }, (_, layer) =>
      Array.from({ length: TOKENS }, (_, position) => cell(layer, position)),
    );
  const scattered = (layer: number, position: number) => ((layer * 7919 + position * 104729) % 9973) / 9973;
  const text = (id: number) => ` ${id.toString(36)}word`.slice(0, 2 + (id % 9));
  return {
    tokens: Array.from({ length: TOKENS }, (_, position) => ({ position, id: position, text: text(position) })),
    layers: Array.from({ length: LAYERS }, (_, layer) => layer),
    positions: Array.from({ length: TOKENS }, (_, position) => position),
    id: rows((layer, position) => Math.floor(scattered(layer, position) * TEXTS)),
    texts: Object.fromEntries(Array.from({ length: TEXTS }, (_, id) => [id, text(id)])),
    probability: rows(scattered),
    entropy: rows((layer, position) => 8 * scattered(position, layer)),
    surprise: Array.from({ length: TOKENS }, (_, position) => (position === 0 ? null : 5 * scattered(0, position))),
    token: null,
    interventions: [],
  };
}

interface Frames {
  median: number;
  longestTask: number;
  count: number;
}

/** Frame times while something is done once a frame. */
function frames(page: Page, count: number, what: "scroll" | "hover"): Promise<Frames> {
  return page.evaluate(
    async ({ count, what }) => {
      const canvas = document.querySelector("canvas");
      if (canvas === null) throw new Error("There is no grid.");
      let box: Element = canvas;
      while (box.scrollWidth <= box.clientWidth + 1 && box.parentElement !== null) box = box.parentElement;
      let longestTask = 0;
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration);
      });
      observer.observe({ type: "longtask" });
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const times: number[] = [];
      let before = await new Promise<number>(requestAnimationFrame);
      for (let index = 0; index < count; index++) {
        const part = index / count;
        if (what === "scroll") {
          box.scrollTo(part * box.scrollWidth, Math.abs(Math.sin(9 * part)) * box.scrollHeight);
        } else {
          const [x, y] = [left + 40 + part * (width - 60), top + 30 + Math.abs(Math.sin(9 * part)) * (height - 60)];
          canvas.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX: x, clientY: y }));
        }
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - before);
        before = now;
      }
      observer.disconnect();
      times.sort((a, b) => a - b);
      return { median: times[Math.floor(times.length / 2)] ?? Infinity, longestTask, count: times.length };
    },
    { count, what },
  );
}

test("80 layers × 1,000 tokens", async ({ page }) => {
  const grid = JSON.stringify(madeUp());
  await page.route("**/api/grid", (route) => route.fulfill({ contentType: "application/json", body: grid }));
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await expect(page.locator("canvas").first()).toBeVisible();
  await frames(page, 20, "scroll"); // fonts and code warm up
  for (const what of ["scroll", "hover"] as const) {
    const { median, longestTask } = await frames(page, 120, what);
    const figure = (name: string, value: number, aim: number) =>
      `${name} ${value.toFixed(0)} ms (aim: at most ${aim})${value > aim ? " ✗" : ""}`;
    console.log(
      `${what}: ${figure("median frame", median, AIM.median)}, ${figure("longest task", longestTask, AIM.longestTask)}`,
    );
  }
});
