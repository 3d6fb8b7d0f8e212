// The history of runs: it survives a reload, is a tree, has titles, and what is saved is seen by others.
import { expect, test, type Locator, type Page } from "@playwright/test";
import { address, answered, complaints, layer, output, WIFE } from "./pages";

const VALUE = "L29D168";
const HUSBAND = "My husband is working as a";

const runs = (page: Page): Locator => page.getByRole("list", { name: "Runs" });

async function addEdit(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Add an edit" }).fill(text);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`e=${text.replace("=", "%3D")}`));
  await answered(page);
}

test("runs are a tree that survives a reload; a click brings the whole view back", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: WIFE, layer: "12", color: "entropy" }));
  await answered(page);
  await expect(runs(page).getByRole("listitem")).toHaveCount(1);
  const first = ((await output(page).getByRole("row").nth(1).getByRole("button").textContent()) ?? "?").trim();
  await expect(runs(page).getByRole("listitem")).toContainText(first);
  await addEdit(page, `${VALUE}=off`);
  await expect(runs(page).getByRole("listitem")).toHaveCount(2);
  await page.getByRole("radio", { name: "Δ" }).click();
  await addEdit(page, "L3D4=2");
  await expect(runs(page).getByRole("listitem")).toHaveCount(3);
  await page.getByRole("textbox", { name: "Prompt" }).fill(HUSBAND);
  await page.keyboard.press("Control+Enter");
  await answered(page);
  await expect(runs(page).getByRole("listitem")).toHaveCount(4);

  await page.reload();
  await answered(page);
  const root = runs(page).locator(":scope > li");
  await expect(root).toHaveCount(1);
  // One below the other: the prompt, the edit, another edit, the other prompt.
  const nested = root.locator("> ul > li");
  await expect(nested.locator("> .run")).toContainText(`+ ${VALUE}=off`);
  await expect(nested.locator("> ul > li > .run")).toContainText("+ L3D4=2");
  await expect(nested.locator("> ul > li > .run")).not.toContainText(VALUE);
  await expect(nested.locator("> ul > li > ul > li > .run")).toContainText(HUSBAND);
  await expect(nested.locator("> ul > li > ul > li > .run button[aria-current]")).toHaveCount(1);

  await nested.locator("> .run .run-open").click();
  await answered(page);
  await expect(page.getByRole("textbox", { name: "Prompt" })).toHaveValue(WIFE);
  await expect(page).toHaveURL(new RegExp(`e=${VALUE}%3Doff&layer=12&show=difference&color=entropy`));
  await expect(page.getByRole("radio", { name: "Δ" })).toHaveAttribute("aria-checked", "true");
  await expect(layer(page, 12)).toBeInViewport();
  await expect(runs(page).getByRole("listitem")).toHaveCount(4);

  // What is forgotten leaves its children to its parent.
  await nested.locator("> ul > li > .run").hover();
  await nested
    .locator("> ul > li > .run")
    .getByRole("button", { name: /^Forget the run/ })
    .click();
  await expect(runs(page).getByRole("listitem")).toHaveCount(3);
  await expect(nested.locator("> ul > li > .run")).toContainText(HUSBAND);
  expect(wrong).toEqual([]);
});

test("another run's prediction is shown beside this one's", async ({ page, request }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await addEdit(page, `${VALUE}=off`);
  const before = runs(page).locator(":scope > li > .run");
  await before.hover();
  await before.getByRole("button", { name: /^Compare/ }).click();
  const table = page.getByRole("table", { name: "Next tokens of both runs" });
  const answer = await request.post("/api/trace", { data: { prompt: WIFE } });
  const { output: plain } = (await answer.json()) as { output: { text: string; probability: number }[] };
  const token = plain[0]?.text.replaceAll(" ", "·") ?? "?";
  const percent = `${((plain[0]?.probability ?? 0) * 100).toPrecision(2)}%`;
  await expect(table.getByRole("row", { name: token }).getByRole("cell").first()).toHaveText(percent);
});

test("a run gets a title, is saved, seen elsewhere, and forgotten", async ({ page, browser }) => {
  await page.goto(address({ p: WIFE, e: `${VALUE}=off` }));
  await answered(page);
  const own = runs(page).locator(":scope > li > .run");
  await own.hover();
  await own.getByRole("button", { name: /^Title of the run/ }).click();
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
  await other.goto(address({ p: "Hello" }));
  await answered(other);
  const theirs = runs(other).locator(":scope > li").filter({ hasText: "without <b>nurses</b>" });
  await expect(theirs.locator("> ul > li > .run")).toContainText("+ L3D4=2");
  await theirs.locator("> .run .run-open").click();
  await answered(other);
  await expect(other).toHaveURL(new RegExp(`e=${VALUE}%3Doff`));
  await expect(theirs.locator("> .run button[aria-current]")).toHaveCount(1);
  await theirs.locator("> .run").hover();
  await theirs
    .locator("> .run")
    .getByRole("button", { name: /^Title of the run/ })
    .click();
  await other.getByRole("textbox", { name: "Title of this run" }).fill("renamed");
  await other.keyboard.press("Enter");
  await expect(runs(other)).toContainText("renamed");
  await context.close();

  await page.reload();
  await answered(page);
  await expect(own).toContainText("renamed");
  for (const left of [1, 0]) {
    await own.hover();
    await own.getByRole("button", { name: /^Forget the run/ }).click();
    await expect(runs(page).getByRole("listitem")).toHaveCount(left);
  }
  await expect(page.getByText("Runs are listed here")).toBeVisible();
});
