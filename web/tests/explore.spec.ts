// The Explore page: searching all value vectors, a vector's page, and the way from there into the prediction.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { address, answered, complaints, layer, output, reload, WIFE } from "./pages";

const HUSBAND = "My husband is working as a";
/** It promotes women, woman, daughter. */
const WOMEN = "L26D1262";

const explore = (state: Record<string, string>, vector = ""): string =>
  `/explore${vector === "" ? "" : `/${vector}`}?${new URLSearchParams(state)}`;
const box = (page: Page): Locator => page.getByRole("textbox", { name: "Words that the vectors promote" });
const results = (page: Page): Locator => page.getByRole("list", { name: "Value vectors found" });
const rows = (page: Page): Locator => results(page).getByRole("listitem");

/** Wait until what is shown is the answer to what was asked last. */
async function found(page: Page): Promise<void> {
  await expect(results(page)).toBeVisible();
  await expect(page.locator("[data-answer]")).toHaveAttribute("aria-busy", "false");
  await expect(page.locator("[data-answer]")).toHaveAttribute("data-old", "false");
}

/** The names of the vectors found, and that they are those of the API's answer. */
async function agrees(page: Page, query: string): Promise<string[]> {
  const answer = await page.request.get(`/api/search?${query}`);
  const { results: expected } = (await answer.json()) as { results: { value: string }[] };
  const names = expected.map(({ value }) => value);
  await expect(rows(page)).toHaveCount(names.length);
  for (const [index, name] of names.entries()) await expect(rows(page).nth(index)).toContainText(name);
  return names;
}

test("words are searched as they are written; a form that is unticked does not count", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto("/explore");
  await expect(page.getByRole("heading", { name: "Find the vectors that write a word" })).toBeVisible();
  await box(page).fill("teacher, school");
  await found(page);
  await expect(page).toHaveURL(/q=teacher%2C\+school/);
  const names = await agrees(page, "q=teacher,school");
  await expect(rows(page).first().locator("mark").first()).toBeVisible();

  const forms = page.getByRole("group", { name: /^teacher/ });
  await forms.getByRole("checkbox", { name: "·teacher", exact: true }).uncheck();
  await expect(page).toHaveURL(/skip=/);
  await found(page);
  const skip = new URL(page.url()).searchParams.get("skip") ?? "";
  await agrees(page, `q=teacher,school&skip=${skip}`);
  await expect(rows(page).first()).not.toContainText("·teacher 10");
  await forms.getByRole("checkbox", { name: "·teacher", exact: true }).check();
  await found(page);
  await expect(rows(page).first()).toContainText(names[0] ?? "?");

  await page.getByRole("button", { name: "Unwanted words" }).click();
  await page.getByRole("textbox", { name: "Words that count against a vector" }).fill("student");
  await expect(page.getByRole("group", { name: /^not student/ })).toBeVisible();
  await found(page);
  await agrees(page, "q=teacher,school&unwanted=student");
  expect(wrong).toEqual([]);
});

test("filters: sign, layers from the histogram, number, named ones", async ({ page }) => {
  await page.goto(explore({ q: "woman" }));
  await found(page);
  await page.getByRole("radio", { name: "\u2212", exact: true }).click();
  await found(page);
  await agrees(page, "q=woman&sign=-");
  await page.getByRole("radio", { name: "±" }).click();
  await page.getByRole("button", { name: /^layer 26: / }).click();
  await expect(page).toHaveURL(/layers=26-26/);
  await found(page);
  expect(new Set(await agrees(page, "q=woman&layers=26-26"))).toContain(WOMEN);
  await page.getByRole("spinbutton", { name: "First layer" }).fill("24");
  await expect(page).toHaveURL(/layers=24-26/);
  await page.getByRole("radio", { name: "50" }).click();
  await found(page);
  expect(await agrees(page, "q=woman&layers=24-26&limit=50")).toHaveLength(50);
  await page.getByRole("button", { name: "All layers" }).click();
  await page.request.put(`/api/values/${WOMEN}/name`, { data: { name: "women <b>", note: "" } });
  await page.getByRole("switch", { name: "Named only" }).click();
  await found(page);
  await expect(rows(page).filter({ hasText: "women <b>" })).toHaveCount(1);
  await page.request.put(`/api/values/${WOMEN}/name`, { data: { name: "", note: "" } });
});

test("a vector is found, opened, tried and added; the prediction changes; back leads back", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: HUSBAND }));
  await answered(page);
  const before = await output(page).textContent();
  await page.getByRole("link", { name: "Explore" }).click();
  await box(page).fill("woman, she");
  await found(page);
  const opened = page.getByRole("link", { name: WOMEN, exact: true });
  await opened.click();
  await expect(page).toHaveURL(new RegExp(`/explore/${WOMEN}\\?`));
  await expect(page).toHaveTitle(new RegExp(WOMEN));
  await expect(page.getByRole("img", { name: /^Promotes: ·women, / })).toBeVisible();
  await expect(page.getByRole("img", { name: /^Promotes: / }).locator("text")).toHaveCount(50);
  await expect(page.getByRole("list", { name: "Promotes" }).getByRole("listitem")).toHaveCount(50);
  await expect(page.getByRole("list", { name: "Nearest" }).getByRole("listitem")).toHaveCount(10);
  await expect(page.getByRole("list", { name: "Opposite" }).getByRole("listitem")).toHaveCount(10);

  const tried = page.getByRole("region", { name: "Try it" });
  await expect(tried.getByRole("textbox", { name: "Prompt to try it on" })).toHaveValue(HUSBAND);
  await tried.getByRole("radio", { name: "on", exact: true }).click();
  // Its range is measured when `on` is first used, which takes a while on a fresh cache.
  await expect(tried.getByRole("row").nth(1)).toContainText("%", { timeout: 80_000 });
  // Before and after are words of the feed-forward: a trial is without and with.
  await expect(tried.getByRole("columnheader")).toHaveText(["next token", "without", "with", "Δ"]);
  await expect(tried).not.toContainText(/\b(before|after)\b/i);
  await expect(tried.locator("dd").last().locator(".token")).not.toHaveCount(0);
  await tried.getByRole("button", { name: "Add to edits" }).click();
  await expect(page.getByText(`Added ${WOMEN}=on`)).toBeVisible();
  await page.getByRole("link", { name: "See the prediction" }).click();
  await answered(page);
  await expect(page).toHaveURL(new RegExp(`e=${WOMEN}%3Don`));
  await expect(output(page)).toContainText("KL");
  expect(await output(page).textContent()).not.toBe(before);

  await page.goBack();
  await expect(page.getByRole("heading", { name: WOMEN })).toBeVisible();
  await page.getByRole("link", { name: "To the results" }).click();
  await found(page);
  await expect(box(page)).toHaveValue("woman, she");
  await expect(opened).toBeInViewport();
  await expect(page.getByRole("link", { name: /1 edit/ })).toBeVisible();
  expect(wrong).toEqual([]);
});

test("several are added at once, as a concept", async ({ page }) => {
  await page.goto(explore({ q: "woman, she", p: HUSBAND, layers: "20-29" }));
  await found(page);
  for (const row of [0, 1, 2]) await rows(page).nth(row).getByRole("checkbox").check();
  await page.getByRole("textbox", { name: "Name of a concept for them, if wanted" }).fill("women");
  await page.getByRole("button", { name: "Add 3 to edits" }).click();
  await page.getByRole("link", { name: "Debugger" }).click();
  await answered(page);
  expect(new URL(page.url()).searchParams.getAll("e")).toHaveLength(3);
  await expect(output(page)).toContainText("KL");
});

test("a vector's address shows it elsewhere; the dimensions beside it are one key away", async ({
  browser,
  baseURL,
}) => {
  const context = await browser.newContext({ baseURL });
  const page = await context.newPage();
  const wrong = complaints(page);
  await page.goto(`/explore/${WOMEN.toLowerCase()}`);
  await expect(page.getByRole("heading", { name: WOMEN })).toBeVisible();
  await expect(page.getByRole("img", { name: /^Promotes: / })).toBeVisible();
  await expect(page.getByRole("link", { name: "Next: L26D1263" })).toBeVisible(); // the key presses it
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("heading", { name: "L26D1263" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { name: WOMEN })).toBeVisible();
  await page.getByRole("list", { name: "Promotes" }).getByRole("link").first().click();
  await found(page);
  await expect(box(page)).toHaveValue('" women"');
  await page.goto("/explore/L0D0");
  await expect(page.getByRole("link", { name: "Next: L0D1" })).toBeVisible();
  await expect(page.getByRole("link", { name: /^Previous/ })).toHaveCount(0);
  expect(wrong).toEqual([]);
  await context.close();
});

test("what cannot be found or read says what to do", async ({ page }) => {
  await page.goto("/explore/L99D1");
  await expect(page.getByRole("alert")).toContainText("Use layers 0 to 29");
  await page.goto("/explore/%3Cscript%3E");
  await expect(page.getByRole("alert")).toContainText("<script>");
  await page.goto(explore({ q: "qzxv*" }));
  await expect(page.getByRole("alert")).toContainText("qzxv");
  await expect(page.getByRole("alert").locator(".cure")).not.toBeEmpty();
  await box(page).fill("/(/");
  await expect(page.getByRole("alert")).toContainText("no regular expression");
  await box(page).fill("/^ un.*able$/");
  await found(page);
  await expect(page.getByRole("group", { name: /un\.\*able/ })).toContainText("·unable");
  await box(page).fill("<script>");
  await expect(page.getByRole("group", { name: /^<script>/ })).toContainText("<script>");
  await found(page);
  await box(page).fill('","');
  await expect(page.getByRole("group", { name: /^","/ })).toBeVisible();
  await found(page);
  await agrees(page, `q=${encodeURIComponent('","')}`);
});

test("what writes a residual stream, and what tells two apart", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await layer(page, 29).getByRole("link", { name: "What writes the residual stream after layer 29?" }).click();
  await found(page);
  await expect(page).toHaveURL(/resid=5\.29/);
  await expect(page.getByRole("button", { name: "Position 5" })).toHaveAttribute("aria-pressed", "true");
  await expect(rows(page)).toHaveCount(20);
  await page.getByRole("textbox", { name: "Told apart from" }).fill(HUSBAND);
  await page.keyboard.press("Enter");
  await found(page);
  await expect(rows(page).first()).toContainText(WOMEN);
  await reload(page);
  await expect(rows(page).first()).toContainText(WOMEN);
  await page.getByRole("link", { name: `Like ${WOMEN}` }).click();
  await expect(page).toHaveURL(new RegExp(`like=${WOMEN}`));
  await found(page);
  await page.goBack();
  await expect(page.getByRole("textbox", { name: "Told apart from" })).toHaveValue(HUSBAND);
});

test("from a value's details to its page, and what was written is still there on the way back", async ({ page }) => {
  await page.goto(address({ p: WIFE, value: WOMEN }));
  await answered(page);
  await page.getByRole("textbox", { name: "Prompt" }).fill("Not run yet");
  const details = page.getByRole("region", { name: WOMEN });
  await expect(details.getByRole("list", { name: "Nearest" }).getByRole("listitem")).toHaveCount(5);
  const link = details.getByRole("link", { name: WOMEN });
  expect(await link.getAttribute("href")).toContain(`/explore/${WOMEN}`);
  await link.click();
  await expect(page.getByRole("heading", { name: WOMEN })).toBeVisible();
  await page.getByRole("link", { name: "Debugger" }).click();
  await answered(page);
  await expect(page.getByRole("textbox", { name: "Prompt" })).toHaveValue("Not run yet");
  await expect(details).toBeVisible();
});

test("by keyboard alone", async ({ page }) => {
  await page.goto("/explore");
  await expect(box(page)).toBeFocused();
  await page.keyboard.type("teach*");
  await found(page);
  const first = (await rows(page).first().getByRole("link").first().textContent()) ?? "?";
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(rows(page).first()).toContainText("edited");
  await page.keyboard.press("Control+z");
  await expect(rows(page).first()).not.toContainText("edited");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: first })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toContainText("Next dimension");
  await page.keyboard.press("Escape");
  await page.goBack();
  await found(page);
  await page.getByRole("heading").first().click({ force: true });
  await page.keyboard.press("/");
  await expect(box(page)).toBeFocused();
});

test("narrow and dark: nothing is cut off, no serious finding of axe", async ({ page }) => {
  test.slow();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 1024, height: 768 });
  for (const path of [
    "/explore",
    explore({ q: "teacher, school", unwanted: "student" }),
    `/explore/${WOMEN}?p=Hello`,
  ]) {
    await page.goto(path);
    if (path.includes("q=")) await found(page);
    else await expect(page.getByRole("heading").first()).toBeVisible();
    if (path.includes(WOMEN)) await expect(page.getByRole("list", { name: "Nearest" })).toBeVisible();
    const overflow = await page.evaluate(() =>
      Array.from(document.querySelectorAll("html, [data-page=explore]"), (one) => one.scrollWidth - one.clientWidth),
    );
    expect(Math.max(...overflow)).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`)).toEqual(
      [],
    );
  }
});
