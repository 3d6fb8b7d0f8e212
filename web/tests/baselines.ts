// Pictures of the page that are kept, and compared with how it looks now; in half size, where a digit that another
// processor rounds otherwise is not seen and a pane that lies wrong is. Where other fonts are installed they say nothing.
// Made anew with `npm run e2e -- --update-snapshots`; look at each before it is kept.
import { expect, test, type Page } from "@playwright/test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { scheme } from "./pages";

/** For `test.use` where a state is compared. */
export const HALF = { deviceScaleFactor: 0.5 };

const FONTS = join(dirname(fileURLToPath(import.meta.url)), "baselines", "fonts.json");

/** Widths of texts in the page's own fonts, and of the signs that the system's fonts draw. */
async function widths(page: Page): Promise<Record<string, number>> {
  return page.evaluate(async () => {
    await document.fonts.ready;
    const context = document.createElement("canvas").getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const measured = (font: string, text: string): number => {
      if (context === null) return 0;
      context.font = `100px ${style.getPropertyValue(font)}`;
      return Math.round(context.measureText(text).width);
    };
    return {
      sans: measured("--sans", "Sphinx of black quartz 0123456789"),
      mono: measured("--mono", "judge my vow 0123456789"),
      signs: measured("--mono", "↵␣·→Δ"),
    };
  });
}

/** Whether pictures made here can be compared with those that are kept. */
export async function sameFonts(page: Page): Promise<boolean> {
  const here = await widths(page);
  if (test.info().config.updateSnapshots === "all" || !existsSync(FONTS)) {
    writeFileSync(FONTS, `${JSON.stringify(here, null, 2)}\n`);
  }
  const kept = JSON.parse(readFileSync(FONTS, "utf8")) as Record<string, number>;
  return Object.entries(kept).every(([font, width]) => here[font] === width);
}

/** The page looks as it did, light and dark; it is left light. */
export async function looksAsKept(page: Page, name: string): Promise<void> {
  if (!(await sameFonts(page))) return; // that this is so, a test of its own says
  await page.mouse.move(0, 0);
  await expect(page.locator('[data-busy="true"], [data-stale="true"], main [aria-busy="true"]')).toHaveCount(0);
  for (const colours of ["light", "dark"] as const) {
    await scheme(page, colours);
    await expect.soft(page).toHaveScreenshot(`${name}-${colours}.png`, {
      scale: "device",
      maxDiffPixelRatio: 0.01,
      // Other tests' sessions are kept by the server.
      mask: [page.getByRole("list", { name: "Sessions" })],
    });
  }
  await scheme(page, "light");
}
