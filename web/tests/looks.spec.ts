// How the page stands: narrow, wide, light, dark; accessibility; a server that goes away and comes back.
import { expect, test } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { accessible } from "./accessibility";
import { HALF, looksAsKept, sameFonts } from "./baselines";
import { command, folder, port } from "./browser";
import { address, answered, more, output, reload, settled, tokens, WIFE } from "./pages";

const FULL = address({ p: WIFE, e: ["L28D270=on", "!L12D3=2"], value: "L28D270", layer: "20", generate: "5" });

test.use(HALF);

test("the pictures that are kept were made with the fonts of this machine", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading")).toBeVisible();
  test.skip(!(await sameFonts(page)), "other fonts: no state of the page was compared with its kept pictures");
});

test("at every width nothing is cut off", async ({ page }) => {
  await page.goto(FULL);
  await answered(page);
  for (const [width, height] of [
    [1024, 768],
    [1440, 900],
    [2560, 1300],
  ] as const) {
    await page.setViewportSize({ width, height });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow, `${width} wide`).toBeLessThanOrEqual(0);
    for (const name of ["Run", "Generate 5", "Run A: without edits", "Command palette", "More"]) {
      await expect(page.getByRole("button", { name, exact: true })).toBeInViewport({ ratio: 1 });
    }
  }
});

test("a dialog stays open where the window becomes too narrow for the panes, and wide again", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await page.getByRole("button", { name: /^Lens: / }).click();
  await page.getByRole("menuitem", { name: "How well do they read?" }).click();
  const dialog = page.getByRole("dialog", { name: "How well the lenses read" });
  await expect(dialog).toBeVisible();
  for (const width of [1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expect(page.getByRole("button", { name: "Inspector", exact: true, includeHidden: true })).toHaveCount(
      width < 1180 ? 1 : 0,
    );
    await expect(dialog).toBeVisible();
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
});

test("no serious finding of axe, light or dark", async ({ page }) => {
  test.slow();
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  await expect(page.getByRole("heading")).toBeVisible();
  await accessible(page);
  await page.goto(FULL);
  await answered(page);
  await expect(page.getByRole("list", { name: "Promotes" })).toBeVisible();
  await expect(tokens(page).getByRole("button", { name: /generated/ })).toHaveCount(5);
  await settled(page);
  await accessible(page);
  await page.goto(address({ p: WIFE, e: "L28D270=on", show: "difference", panel: "trajectory" }));
  await settled(page);
  await accessible(page, "main");
  await looksAsKept(page, "trajectory");
  await page.getByRole("button", { name: "Number of tokens and sampling" }).click();
  await accessible(page, ".popover");
});

test("the theme is chosen and kept", async ({ page }) => {
  await page.goto("/");
  await more(page, "Dark theme");
  await reload(page);
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("a server that is killed and comes back is found again", async ({ page }) => {
  test.setTimeout(240_000);
  const other = port + 1;
  const start = (): ChildProcess =>
    spawn(command, [
      ...["serve", "demo", "--no-browser", "--no-token", "--port", String(other)],
      ...["--database", join(folder(), "restarted.sqlite")],
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
