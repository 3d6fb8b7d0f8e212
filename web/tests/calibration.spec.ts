// The first `on`: what it measures tells how far it is and can be cancelled, wherever it was begun. A server of its own,
// whose cache knows the model but no ranges.
import { expect, test } from "@playwright/test";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { command, port } from "./browser";
import { cacheWith } from "./cache";
import { address, WIFE } from "./pages";

test("the first on shows its progress, is cancelled, and begun again from the details", async ({ page }) => {
  test.slow();
  const cache = cacheWith("demo", "anatomy");
  const at = `http://127.0.0.1:${port + 2}`;
  const server = spawn(
    command,
    [
      "serve",
      "demo",
      "--no-browser",
      "--no-token",
      "--port",
      String(port + 2),
      "--database",
      join(cache, "page.sqlite"),
    ],
    { env: { ...process.env, LM_DEBUGGER_CACHE: cache } },
  );
  try {
    const ready = () =>
      fetch(`${at}/api/model`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(ready, { timeout: 120_000 }).toBe(true);
    await page.goto(at + address({ p: WIFE, e: "L28D270=on", value: "L28D270" }));
    await expect(page.getByRole("progressbar", { name: "Measuring coefficients" })).toBeVisible();
    await page.locator("[data-busy=true]").getByRole("button", { name: "Cancel" }).click();
    await expect(page.getByText("Cancelled: there is nothing to show yet.")).toBeVisible();
    const step = async () => ((await (await fetch(`${at}/api/health`)).json()) as { step: string }).step;
    await expect.poll(step).toBe("");

    const details = page.getByRole("region", { name: "L28D270" });
    await details.getByRole("button", { name: "Measure all vectors" }).click();
    await expect(details.getByText(/Measuring… [\d.]+%/)).toBeVisible();
    await details.getByRole("button", { name: "Cancel" }).click();
    await expect(details.getByRole("button", { name: "Measure all vectors" })).toBeVisible();
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect.poll(step).toBe("");

    // The prompt is the same: the bar's own button asks again for what was cancelled.
    await page.getByRole("banner").getByRole("button", { name: "Run", exact: true }).click();
    await expect(page.getByRole("progressbar", { name: "Measuring coefficients" })).toBeVisible();
    await expect(page.getByText("Cancelled:")).toBeHidden();
  } finally {
    server.kill("SIGKILL");
  }
});
