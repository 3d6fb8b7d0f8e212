// How smoothly a large model's map, 80 layers × 1,000 tokens, scrolls and answers the mouse while its columns come late. Only
// its numbers are made up. A measurement, `npm run bench`: what else the machine does decides it too, so it is no test.
import { expect, test, type Page } from "@playwright/test";
import { address, WIFE } from "./pages";

const LAYERS = 80;
const TOKENS = 1000;
const TEXTS = 5000;
/** Milliseconds that the server takes for a batch of columns. */
const LATE = 250;

/** Milliseconds. A frame of a screen with 60 Hz is 17; a fifth of a second without one is felt. */
const AIM = { median: 17, longestTask: 200 };

const scattered = (layer: number, position: number) => ((layer * 7919 + position * 104729) % 9973) / 9973;
const text = (id: number) => ` ${id.toString(36)}word`.slice(0, 2 + (id % 9));
const tokens = Array.from({ length: TOKENS }, (_, position) => ({ position, id: position, text: text(position) }));

/** What the server would say of some layers at some positions. */
function region(layers: readonly number[], positions: readonly number[]): object {
  const rows = <T>(cell: (layer: number, position: number) => T): T[][] =>
    layers.map((layer) => positions.map((position) => cell(layer, position)));
  return {
    ...{ layers, positions, tokens: positions.map((position) => tokens[position]), token: null, interventions: [] },
    id: rows((layer, position) => Math.floor(scattered(layer, position) * TEXTS)),
    texts: Object.fromEntries(Array.from({ length: TEXTS }, (_, id) => [id, text(id)])),
    probability: rows(scattered),
    entropy: rows((layer, position) => 8 * scattered(position, layer)),
    surprise: positions.map((position) => (position === 0 ? null : 5 * scattered(0, position))),
  };
}

async function pretend(page: Page): Promise<void> {
  await page.route("**/api/tokens", (route) => route.fulfill({ json: { tokens } }));
  await page.route("**/api/trace", async (route) => {
    const asked = route.request().postDataJSON() as object;
    const answer = await route.fetch({ postData: JSON.stringify({ ...asked, prompt: WIFE, position: -1 }) });
    const view = (await answer.json()) as { model: object; layers: { layer: number }[] };
    const layers = Array.from({ length: LAYERS }, (_, layer) => ({
      ...view.layers[layer % view.layers.length],
      layer,
    }));
    await route.fulfill({
      json: { ...view, layers, tokens, position: TOKENS - 1, model: { ...view.model, layers: LAYERS } },
    });
  });
  await page.route("**/api/grid", async (route) => {
    const { layers, positions } = route.request().postDataJSON() as { layers: number[]; positions: number[] };
    await new Promise((resolve) => setTimeout(resolve, LATE));
    await route.fulfill({ json: region(layers, positions) }).catch(() => undefined);
  });
}

interface Frames {
  median: number;
  longestTask: number;
}

/** Frame times while something is done once a frame. */
function frames(page: Page, count: number, what: "scroll" | "hover"): Promise<Frames> {
  return page.evaluate(
    async ({ count, what }) => {
      const box = document.querySelector("[data-map-scroll]");
      const canvas = box?.querySelector("canvas");
      if (!(box instanceof HTMLElement) || !(canvas instanceof HTMLElement)) throw new Error("There is no map.");
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
          const [x, y] = [left + 60 + part * (width - 80), top + 30 + Math.abs(Math.sin(9 * part)) * (height - 60)];
          canvas.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX: x, clientY: y }));
        }
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - before);
        before = now;
      }
      observer.disconnect();
      times.sort((a, b) => a - b);
      return { median: times[Math.floor(times.length / 2)] ?? Infinity, longestTask };
    },
    { count, what },
  );
}

test("80 layers × 1,000 tokens", async ({ page }) => {
  await pretend(page);
  await page.goto(address({ p: WIFE }));
  const canvas = page.getByRole("img", { name: `after each of ${LAYERS} layers at each of ${TOKENS} positions` });
  await expect(canvas).toBeVisible();
  // As large as its place on the screen, not as the map: that would be 250 MB.
  const size = await canvas.evaluate((element) => {
    const { width } = element as HTMLCanvasElement;
    return { width, room: (element.closest("[data-map-scroll]") as HTMLElement).clientWidth * devicePixelRatio };
  });
  expect(size.width).toBeLessThanOrEqual(size.room + 1);
  await frames(page, 20, "scroll"); // fonts and code warm up
  for (const what of ["scroll", "hover"] as const) {
    const { median, longestTask } = await frames(page, 120, what);
    const figure = (name: string, value: number, aim: number) =>
      `${name} ${value.toFixed(0)} ms (aim: at most ${aim})${value > aim ? " ✗" : ""}`;
    console.log(
      `${what}: ${figure("median frame", median, AIM.median)}, ${figure("longest task", longestTask, AIM.longestTask)}`,
    );
  }
  await page.unrouteAll({ behavior: "ignoreErrors" }); // columns that are still asked for are not waited for
});
