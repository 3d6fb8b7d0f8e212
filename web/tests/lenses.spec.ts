// Lenses on the page: none is fitted at first; a fit is seen and can be stopped; once there it is in use and named; the
// same prompt through two lenses. A server of its own: elsewhere the logit lens is taken for granted.
import { expect, test, type Locator } from "@playwright/test";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { command, port } from "./browser";
import { cacheWith } from "./cache";
import { address, answered, reload, settled, WIFE } from "./pages";

test("a lens is fitted, in use and named; the same prompt is read through two", async ({ page, request }) => {
  test.setTimeout(400_000);
  const cache = cacheWith("demo", "anatomy", "calibration", "statistics");
  const at = `http://127.0.0.1:${port + 4}`;
  const options = ["--no-browser", "--no-token", "--port", String(port + 4), "--database", join(cache, "page.sqlite")];
  const server = spawn(command, ["serve", "demo", ...options], { env: { ...process.env, LM_DEBUGGER_CACHE: cache } });
  try {
    const ready = () =>
      fetch(`${at}/api/model`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(ready, { timeout: 120_000 }).toBe(true);
    await page.goto(at + address({ p: WIFE }));
    await answered(page);
    await expect(page.getByRole("button", { name: "Lens: logit lens" })).toBeVisible();
    await page.getByRole("button", { name: "Readable middle" }).click();
    await expect(page.getByText("fitting…")).toBeVisible();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await expect(page.getByText("fitting…")).toBeHidden();

    // A small one: what is tested is the page.
    const fit = { kind: "tuned", prompts: 12, tokens: 32 };
    expect((await request.post(`${at}/api/lenses/fit`, { data: fit, timeout: 300_000 })).ok()).toBe(true);
    await reload(page);
    await answered(page);
    await expect(page.getByRole("button", { name: "Lens: tuned lens" })).toBeVisible();
    await expect(page.getByRole("region", { name: "Layer 29" })).toContainText("tuned lens");
    await page.getByRole("button", { name: /^Run A:/ }).click();
    await page.getByRole("menuitem", { name: "This run through the logit lens" }).click();
    await settled(page);
    const [a, b] = ["Map of A", "Map of B"].map((name) => page.getByRole("region", { name }));
    await expect(a as Locator).toContainText("logit lens");
    await expect(b as Locator).toContainText("tuned lens");
    await expect(page.getByRole("group", { name: /^Map: / }).and(page.locator("[aria-busy=true]"))).toHaveCount(0);
    await expect(page).toHaveURL(/alens=logit/);
    await page.getByRole("button", { name: "Lens: tuned lens" }).click();
    await page.getByRole("menuitemradio", { name: /^logit lens/ }).click();
    await expect(page).toHaveURL(/[?&]lens=logit/);
  } finally {
    server.kill("SIGKILL");
  }
});
