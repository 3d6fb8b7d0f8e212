// Concepts: edits grouped, scaled and switched together, kept on the server, and carried by files.
import AxeBuilder from "@axe-core/playwright";
import { readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { address, answered, complaints, output, reload, WIFE } from "./pages";

const EDITS = ["L28D270=40", "L29D168=off"];

const concept = (page: Page, name: string) => page.getByRole("group", { name: `Concept ${name}`, exact: true });
const library = (page: Page) => page.getByRole("button", { name: "Saved concepts and files" });
const saved = (page: Page) => page.getByRole("list", { name: "Saved concepts" });

/** The edits that the server runs: what a request that sets off now would send. */
async function run(page: Page, action: () => Promise<unknown>): Promise<string[]> {
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/trace") && request.method() === "POST");
  await action();
  return ((await asked).postDataJSON() as { interventions: string[] }).interventions;
}

async function item(page: Page, name: string, text: string): Promise<void> {
  await page.getByRole("button", { name: `More for ${name}` }).click();
  await page.getByRole("menuitem", { name: text }).click();
}

async function file(page: Page, text: string): Promise<void> {
  await page
    .getByLabel("Recipe file")
    .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from(text) });
}

test("two edits become a concept: scaled, switched, renamed, undone", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: WIFE, e: EDITS }));
  await answered(page);
  await expect(output(page)).toContainText("KL");
  const before = await output(page).textContent();
  await page.getByRole("button", { name: "Group the edits as a concept" }).click();
  await expect(concept(page, "concept")).toContainText("2 edits");
  await page.getByRole("textbox", { name: "Name of the concept" }).fill("job & mood");
  await page.keyboard.press("Enter");
  await expect(concept(page, "job & mood")).toBeVisible();

  const strength = page.getByRole("slider", { name: "Strength of job & mood" });
  await strength.focus();
  const sent = await run(page, () => page.keyboard.press("PageDown"));
  expect(sent).toEqual(["L28D270=20", "L29D168*=0.5"]);
  await expect(page).toHaveURL(/e=L28D270%3D40%23job\+%26\+mood\*0\.5/);
  await expect(output(page)).not.toHaveText(before ?? "");
  await answered(page);

  await page.getByRole("switch", { name: "job & mood in force" }).click();
  await expect(output(page)).not.toContainText("KL");
  await reload(page);
  await answered(page);
  await expect(page.getByRole("switch", { name: "job & mood in force" })).toHaveAttribute("aria-checked", "false");
  await expect(strength).toHaveAttribute("aria-valuenow", "0.5");
  await page.getByRole("switch", { name: "job & mood in force" }).click();
  await expect(output(page)).toContainText("KL");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(output(page)).not.toContainText("KL");
  await page.getByRole("button", { name: "Redo" }).click();
  await item(page, "job & mood", "Ungroup");
  await expect(page).toHaveURL(/e=L28D270%3D20&e=L29D168\*%3D0.5/);
  await page.getByRole("button", { name: "Undo" }).click();
  await item(page, "job & mood", "Remove with its edits");
  await expect(page.getByText("The model as it is")).toBeVisible();
  expect(wrong).toEqual([]);
});

test("edits are put into concepts and taken out one by one", async ({ page }) => {
  await page.goto(address({ p: WIFE, e: [...EDITS, "L12D3=off"] }));
  await answered(page);
  for (const value of ["L28D270", "L29D168", "L12D3"]) await opened(page, value);
  await page.getByRole("button", { name: "Concept of L28D270" }).click();
  await page.getByRole("menuitem", { name: "Into a new concept" }).click();
  await opened(page, "L28D270");
  await opened(page, "L29D168");
  await page.getByRole("button", { name: "Concept of L29D168" }).click();
  await page.getByRole("menuitem", { name: "Into “concept”" }).click();
  await expect(concept(page, "concept")).toContainText("2 edits");
  await opened(page, "L12D3");
  await page.getByRole("button", { name: "Concept of L12D3" }).click();
  await page.getByRole("menuitem", { name: "Into a new concept" }).click();
  await expect(concept(page, "concept 2")).toContainText("1 edit");
  await page.getByRole("button", { name: "Hide the edits of concept 2" }).click();
  await expect(page.getByRole("switch", { name: "L12D3 in force" })).toBeHidden();
  // A name that another concept has is not taken.
  await page.getByRole("textbox", { name: "Name of the concept concept 2" }).fill("concept");
  await page.keyboard.press("Enter");
  await expect(concept(page, "concept 2")).toBeVisible();
  await opened(page, "L28D270");
  await page.getByRole("button", { name: "Concept of L28D270" }).click();
  await page.getByRole("menuitem", { name: "Out of “concept”" }).click();
  await expect(concept(page, "concept")).toContainText("1 edit");
  const { violations } = await new AxeBuilder({ page }).include("[aria-labelledby=edits-title]").analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
});

test("a concept is saved, loaded after a reload, exported, imported, and forgotten", async ({ page }) => {
  await page.goto(address({ p: WIFE, e: EDITS.map((edit, place) => `${edit}#mood${place === 0 ? "*0.5" : ""}`) }));
  await answered(page);
  await item(page, "mood", "Save on the server");
  await expect(page.getByText("Saved “mood”")).toBeVisible();
  await item(page, "mood", "Save in place of the saved one");

  await page.goto(address({ p: WIFE }));
  await answered(page);
  await library(page).click();
  await expect(saved(page).getByRole("listitem")).toHaveCount(1);
  const loaded = await run(page, () => saved(page).getByRole("button", { name: "mood 2" }).click());
  expect(loaded).toEqual(["L28D270=20", "L29D168*=0.5"]);
  await expect(concept(page, "mood")).toContainText("2 edits");

  const [download] = await Promise.all([page.waitForEvent("download"), item(page, "mood", "Export as a file")]);
  expect(download.suggestedFilename()).toBe("mood.recipe.txt");
  const text = await readFile(await download.path(), "utf-8");
  expect(text).toMatch(
    /^# LM-Debugger recipe\n# name: mood\n# model: demo\n# fingerprint: \w+\nL28D270=20\nL29D168\*=0.5\n$/,
  );
  await library(page).click();
  const [kept] = await Promise.all([
    page.waitForEvent("download"),
    saved(page).getByRole("link", { name: "Download mood" }).click(),
  ]);
  expect(kept.suggestedFilename()).toBe("mood.recipe.txt");
  expect(await readFile(await kept.path(), "utf-8")).toBe(text.replace("=20\n", "=20.0\n"));

  await saved(page).getByRole("button", { name: "Forget mood" }).click();
  await expect(page.getByText("No concept of this model is saved yet")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await file(page, text.replace("# name: mood", "# name: from a file"));
  await expect(concept(page, "from a file")).toContainText("2 edits");
  await expect(output(page)).toContainText("KL");
  await library(page).click();
  await saved(page).getByRole("button", { name: "Forget from a file" }).click();
  await expect(saved(page).getByRole("listitem")).toHaveCount(0);
});

test("a file of another model, and one that is no recipe, are refused with the reason", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await file(page, "# LM-Debugger recipe\n# name: mood\n# model: gpt2\n# fingerprint: abcd\nL1D2=on\n");
  const refusal = page.getByRole("alert");
  await expect(refusal).toContainText("for the model gpt2 (abcd), not for demo");
  await expect(refusal).toContainText("Load that model");
  await file(page, "# LM-Debugger recipe\n# name: mood\nL1D2=onn\n");
  await expect(refusal).toContainText("Line 3");
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["nothing"], "a.txt", { type: "text/plain" }));
    return data;
  });
  await page.dispatchEvent("[aria-labelledby=edits-title]", "drop", { dataTransfer: dropped });
  await expect(refusal).toContainText("Line 1 is not a recipe's first line");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await expect(refusal).toBeHidden();
  await expect(page.getByText("The model as it is")).toBeVisible();
});

/** What an edit's row shows when it is opened: where it applies, its group. */
async function opened(page: Page, value: string): Promise<void> {
  const button = page.getByRole("button", { name: `More of the edit of ${value}`, exact: true });
  if ((await button.getAttribute("aria-expanded")) !== "true") await button.click();
}
