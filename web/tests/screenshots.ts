// The documentation's pictures, made with the demo model.
import { expect, test, type Page } from "@playwright/test";
import { address, answered, TWO, WIFE } from "./pages";

const folder = "../docs/images";

async function picture(page: Page, name: string): Promise<void> {
  await answered(page);
  await expect(page.locator('[data-busy="true"], [data-stale="true"], main [aria-busy="true"]')).toHaveCount(0);
  await settled(page, name);
}

async function settled(page: Page, name: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(800);
  await page.screenshot({ path: `${folder}/${name}.png` });
}

test("a trace", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(address({ p: TWO, layer: "27" }));
  await picture(page, "trace");
});

test("edits, compared", async ({ page }) => {
  // Vectors that promote negative words.
  const negative = ["L18D267", "L22D75", "L22D333", "L22D524", "L23D1046", "L28D270", "L29D168", "L29D263"];
  const edits = negative.map((value) => `${value}=on`);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(
    address({ p: "The food at this restaurant is", e: edits, value: "L29D168", generate: "10", layer: "28" }),
  );
  await picture(page, "edits");
});

test("tokens through the layers", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(address({ p: WIFE, e: "L29D168=on", panel: "trajectory", show: "difference", layer: "29" }));
  await picture(page, "difference");
});

test("why: the flow to a prediction, and who wrote it", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(address({ p: WIFE, panel: "flow", least: "0.05", pin: "a.19.3.4", verify: "1" }));
  await expect(page.getByRole("list", { name: "Edges by contribution" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "measured" })).toBeVisible();
  await picture(page, "why");
});

test("a session that is paused", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(address({ p: "The capital of France is", watch: ['p(" Paris")', "entropy()"], break: '"."' }));
  await answered(page);
  await page.getByRole("button", { name: "Debug", exact: true }).click();
  await expect(page.getByText("PAUSED")).toBeVisible();
  await page.getByRole("button", { name: "Into", exact: true }).click();
  await expect(page.getByRole("region", { name: "Inside the step" })).toBeVisible();
  await picture(page, "debug");
});

test("a search of all value vectors", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(`/explore?${new URLSearchParams({ q: "teacher, school", p: WIFE })}`);
  await expect(page.getByRole("list", { name: "Value vectors found" })).toBeVisible();
  await settled(page, "explore");
});

test("a value vector", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`/explore/L26D1262?${new URLSearchParams({ p: "My husband is working as a" })}`);
  const tried = page.getByRole("region", { name: "Try it" });
  await tried.getByRole("radio", { name: "on", exact: true }).click();
  await expect(tried.locator("dd").last().locator(".token")).not.toHaveCount(0, { timeout: 80_000 });
  await settled(page, "vector");
});
