// The history of runs: it survives a reload, lies along the time, has titles, and what is saved is seen by others.
import { expect, test, type Locator, type Page } from "@playwright/test";
import { address, answered, complaints, layer, output, reload, WIFE } from "./pages";

const VALUE = "L29D168";
const HUSBAND = "My husband is working as a";

const runs = (page: Page): Locator => page.getByRole("list", { name: "Runs" });
const pills = (page: Page): Locator => runs(page).locator("[data-run]");

async function openDrawer(page: Page): Promise<void> {
  const toggle = page.getByRole("button", { name: "Runs", exact: true });
  if ((await toggle.getAttribute("aria-expanded")) !== "true") await toggle.click();
}

async function choose(page: Page, pill: Locator, item: string): Promise<void> {
  await pill.getByRole("button", { name: /^More for the run/ }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function addEdit(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Add an edit" }).fill(text);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`e=${text.replace("=", "%3D")}`));
  await answered(page);
}

/** Columns and lanes of the runs, by their text. */
const places = (page: Page): Promise<[number, number][]> =>
  runs(page)
    .getByRole("listitem")
    .evaluateAll((all) => all.map(({ style }): [number, number] => [parseInt(style.left), parseInt(style.top)]));

test("runs lie along the time, a branch in its own lane; a click brings the whole view back", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: WIFE, layer: "12", color: "entropy" }));
  await answered(page);
  await expect(runs(page).getByRole("listitem")).toHaveCount(1);
  await openDrawer(page);
  const first = ((await output(page).getByRole("row").nth(1).locator(".token").textContent()) ?? "?").trim();
  await expect(pills(page).first()).toContainText(first);
  await addEdit(page, `${VALUE}=off`);
  await expect(pills(page)).toHaveCount(2);
  await page.getByRole("radio", { name: "Δ" }).click();
  await addEdit(page, "L3D4=2");
  await expect(pills(page)).toHaveCount(3);

  await reload(page);
  await answered(page);
  await expect(pills(page)).toHaveCount(3);
  await expect(pills(page).nth(1)).toContainText(`+ ${VALUE}=off`);
  await expect(pills(page).nth(2)).toContainText("+ L3D4=2");
  await expect(pills(page).nth(2)).not.toContainText(VALUE);
  await expect(pills(page).nth(2).locator("[aria-current]")).toHaveCount(1);

  await pills(page).nth(1).getByRole("button").first().click();
  await answered(page);
  await expect(page).toHaveURL(new RegExp(`e=${VALUE}%3Doff.*layer=12.*show=difference.*color=entropy`));
  await expect(page.getByRole("radio", { name: "Δ" })).toHaveAttribute("aria-checked", "true");
  await expect(layer(page, 12)).toBeVisible();
  // From here another way: a branch.
  await addEdit(page, "L5D6=off");
  await expect(pills(page)).toHaveCount(4);
  const at = await places(page);
  expect(new Set(at.map(([column]) => column)).size).toBe(4);
  expect(at.map(([, lane]) => lane)).toEqual([0, 0, 0, at[3]?.[1]]);
  expect(at[3]?.[1]).toBeGreaterThan(0);

  // What is forgotten leaves its children to its parent.
  await choose(page, pills(page).nth(1), "Forget");
  await expect(pills(page)).toHaveCount(3);
  await expect(pills(page).nth(1)).toContainText(`+ ${VALUE}=off`);
  expect(wrong).toEqual([]);
});

test("a run is dropped on A: every number is set against it, and the address keeps it", async ({ page, request }) => {
  await page.goto(address({ p: HUSBAND }));
  await answered(page);
  await openDrawer(page);
  await page.getByRole("textbox", { name: "Prompt" }).fill(WIFE);
  await page.keyboard.press("Control+Enter");
  await answered(page);
  await expect(pills(page)).toHaveCount(2);
  await pills(page)
    .first()
    .getByRole("button")
    .first()
    .dragTo(page.getByRole("button", { name: /^Run A:/ }));
  await expect(page.getByRole("button", { name: /^Run A:.*husband/ })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Δ" })).toHaveAttribute("aria-checked", "true");
  await answered(page);
  const body = { a: { prompt: HUSBAND }, b: { prompt: WIFE }, top_k: 12 };
  const answer = await request.post("/api/compare", { data: body });
  type Token = { text: string; probability_before: number; probability_after: number };
  const { tokens } = (await answer.json()) as { tokens: Token[] };
  const [most] = [...tokens].sort(
    (x, y) =>
      Math.abs(y.probability_after - y.probability_before) - Math.abs(x.probability_after - x.probability_before),
  );
  await expect(output(page).getByRole("row").nth(1)).toContainText(most?.text.replace(" ", "·") ?? "?");
  await expect(output(page)).toContainText("KL");
  await reload(page);
  await answered(page);
  await expect(page.getByRole("button", { name: /^Run A:.*husband/ })).toBeVisible();
  await page.getByRole("button", { name: /^Run A:/ }).click();
  await page.getByRole("menuitem", { name: "This run without edits" }).click();
  await expect(output(page)).not.toContainText("KL");
});

test("a run gets a title, is saved, seen elsewhere, and forgotten", async ({ page, browser }) => {
  await page.goto(address({ p: WIFE, e: `${VALUE}=off` }));
  await answered(page);
  await openDrawer(page);
  const own = pills(page).first();
  await choose(page, own, "Title…");
  await page.getByRole("textbox", { name: "Title of this run" }).fill("without <b>nurses</b>");
  await page.keyboard.press("Enter");
  await expect(own).toContainText("without <b>nurses</b>");
  await page.getByRole("button", { name: "Save this run" }).click();
  await expect(own.getByLabel("saved")).toBeVisible();
  await addEdit(page, "L3D4=2");
  await page.getByRole("button", { name: "Save this run" }).click();
  await expect(runs(page).getByLabel("saved")).toHaveCount(2);

  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(new URL(address({ p: "Hello" }), page.url()).href);
  await answered(other);
  await openDrawer(other);
  const theirs = pills(other).filter({ hasText: "without <b>nurses</b>" });
  await theirs.getByRole("button").first().click();
  await answered(other);
  await expect(other).toHaveURL(new RegExp(`e=${VALUE}%3Doff`));
  await choose(other, theirs, "Title…");
  await other.getByRole("textbox", { name: "Title of this run" }).fill("renamed");
  await other.keyboard.press("Enter");
  await expect(runs(other)).toContainText("renamed");
  await context.close();

  await reload(page);
  await answered(page);
  await expect(own).toContainText("renamed");
  for (const left of [1, 0]) {
    await choose(page, own, "Forget");
    await expect(pills(page)).toHaveCount(left);
  }
});
