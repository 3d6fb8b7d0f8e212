// What every state of the page owes to those who do not use a mouse or do not see it: axe's findings and the tab stops.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { scheme } from "./pages";

/** What axe finds in the page, or in those parts of it that are new since the last time; by all rules, or some. */
async function serious(page: Page, rules: readonly string[] | null, ...parts: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  for (const part of parts) axe.include(part);
  const { violations } = await axe
    // Selectors are made only of what is wrong; thousands of chips are right.
    .options({ resultTypes: ["violations"], ...(rules === null ? {} : { runOnly: [...rules] }) })
    .analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}

/** In the dark only colours are another matter: everything else was found in the light, or was not. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** No serious finding in the page or in those parts of it, light and dark; it is left light. */
export async function accessible(page: Page, ...parts: string[]): Promise<void> {
  await scheme(page, "light");
  expect(await serious(page, null, ...parts)).toEqual([]);
  await scheme(page, "dark");
  expect(await serious(page, COLOURS, ...parts), "in the dark").toEqual([]);
  await scheme(page, "light");
}

const MOST = 40;

/** Tab goes through the page in few steps. */
export async function fewTabStops(page: Page): Promise<void> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    getSelection()?.setPosition(document.body, 0); // from where Tab goes on
  });
  const seen = new Set<string>();
  for (let stops = 0; stops < MOST + 20; stops++) {
    await page.keyboard.press("Tab");
    const where = await page.evaluate(() => {
      const one = document.activeElement;
      if (one === null || one === document.body) return "";
      const all = Array.from(document.querySelectorAll("*"));
      return `${all.indexOf(one)} ${one.tagName} ${one.getAttribute("aria-label") ?? one.textContent?.slice(0, 30)}`;
    });
    if (seen.has(where)) break;
    if (where !== "") seen.add(where); // after the last stop comes the browser itself, then the first
  }
  expect(seen.size, "stops were counted").toBeGreaterThan(5);
  expect(seen.size, Array.from(seen).join("\n")).toBeLessThanOrEqual(MOST);
}
