// How the page stands: narrow, wide, light, dark; accessibility; a server that goes away and comes back.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { command, port } from "./browser";
import { address, answered, more, output, settled, tokens, WIFE } from "./pages";

const FULL = address({ p: WIFE, e: ["L28D270=on", "!L12D3=2"], value: "L28D270", layer: "20", generate: "5" });

/**
 * What axe finds in the page, or in the parts of it that are new since the last time. In the dark only colours are
 * another matter: everything else was found in the light, or was not.
 */
async function serious(page: Page, theme: "light" | "dark", ...parts: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  for (const part of parts) axe.include(part);
  const { violations } = await axe
    // Selectors are made only of what is wrong; thousands of chips are right.
    .options({
      resultTypes: ["violations"],
      ...(theme === "dark" ? { runOnly: ["color-contrast", "link-in-text-block"] } : {}),
    })
    .analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [width, height] of [
    [1024, 768],
    [1440, 900],
    [2560, 1300],
  ] as const) {
    test(`${colorScheme}, ${width} wide: nothing is cut off`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await page.goto(FULL);
      await answered(page);
      await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      for (const name of ["Run", "Generate 5", "Run A: without edits", "Command palette", "More"]) {
        await expect(page.getByRole("button", { name, exact: true })).toBeInViewport({ ratio: 1 });
      }
    });
  }

  test(`${colorScheme}: no serious finding of axe`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme });
    await page.goto("/");
    await expect(page.getByRole("heading")).toBeVisible();
    expect(await serious(page, colorScheme)).toEqual([]);
    await page.goto(FULL);
    await answered(page);
    await expect(page.getByRole("list", { name: "Promotes" })).toBeVisible();
    await expect(tokens(page).getByRole("button", { name: /generated/ })).toHaveCount(5);
    await settled(page);
    expect(await serious(page, colorScheme)).toEqual([]);
    await page.goto(address({ p: WIFE, e: "L28D270=on", show: "difference", panel: "trajectory" }));
    await settled(page);
    expect(await serious(page, colorScheme)).toEqual([]);
    await page.getByRole("button", { name: "Number of tokens and sampling" }).click();
    expect(await serious(page, colorScheme, ".popover")).toEqual([]);
  });
}

test("the theme is chosen and kept", async ({ page }) => {
  await page.goto("/");
  await more(page, "Dark theme");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("a server that is killed and comes back is found again", async ({ page }) => {
  test.setTimeout(240_000);
  const other = port + 1;
  const start = (): ChildProcess =>
    spawn(command, [
      ...["serve", "demo", "--no-browser", "--no-token", "--port", String(other)],
      ...["--database", join(process.env.LM_DEBUGGER_E2E_FOLDER ?? ".", "restarted.sqlite")],
    ]);
  const up = async () => {
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${other}/api/model`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeout: 90_000 },
      )
      .toBe(true);
  };
  let server = start();
  try {
    await up();
    await page.goto(`http://127.0.0.1:${other}${address({ p: WIFE })}`);
    await answered(page);
    server.kill("SIGKILL");
    await expect(page.getByText("The server cannot be reached").first()).toBeVisible();
    server = start();
    await up();
    await expect(page.getByText("The server cannot be reached")).toBeHidden();
    await page.getByRole("textbox", { name: "Prompt" }).fill("Here again");
    await page.keyboard.press("Control+Enter");
    await expect(output(page)).toContainText("·again");
  } finally {
    server.kill("SIGKILL");
  }
});
