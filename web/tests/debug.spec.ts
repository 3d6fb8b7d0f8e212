// A debugging session: breakpoint, pause, step into a layer, edit and go on, back, another branch, a reload.
import { expect, test, type Page } from "@playwright/test";
import { accessible, fewTabStops } from "./accessibility";
import { HALF, looksAsKept } from "./baselines";
import { address, answered, complaints, layer, output, reload, settled, tokens } from "./pages";

test.use(HALF);

const PROMPT = "The capital of France is";

const bar = (page: Page) => page.getByRole("region", { name: "Debugging session" });
const generated = (page: Page) => tokens(page).getByRole("button", { name: /generated/ });

/** Press a verb's key and wait until the session is paused again. */
async function type(page: Page, letter: string): Promise<void> {
  await page.keyboard.press(letter);
  await expect(bar(page)).toHaveAttribute("data-busy", "false");
}

/** Press a verb and wait until the session is paused again. */
async function press(page: Page, name: string): Promise<void> {
  await bar(page).getByRole("button", { name, exact: true }).click();
  await expect(bar(page)).toHaveAttribute("data-busy", "false");
}

test("a session is paused by a breakpoint, stepped, edited, taken back, branched, and found again", async ({
  page,
  request,
}) => {
  test.setTimeout(150_000);
  page.setDefaultTimeout(20_000);
  const wrong = complaints(page);
  const data = { prompt: PROMPT, max_new_tokens: 12, compare: false };
  const { tokens: plain } = (await (await request.post("/api/generate", { data })).json()) as {
    tokens: { text: string }[];
  };
  const target = plain[4]?.text ?? "?";

  await page.goto(address({ p: PROMPT, lens: "logit" }));
  await answered(page);
  // What is wrong is told at its character; how it may go on is proposed.
  const watch = page.getByRole("combobox", { name: "Add a watch" });
  await watch.fill("ent");
  await page
    .getByRole("listbox", { name: /^Add a watch/ })
    .getByRole("option", { name: /^entropy/ })
    .click();
  await expect(watch).toHaveValue(/^entropy\(/);
  await watch.fill("entropy())");
  await expect(page.getByRole("region", { name: "Watches" }).getByRole("alert").locator("mark")).toHaveText(")");
  await watch.fill("entropy()");
  await watch.press("Enter");
  await expect(page.getByRole("list", { name: "Watches" })).toContainText("entropy()");
  const point = page.getByRole("combobox", { name: "Add a breakpoint" });
  await point.fill(JSON.stringify(target));
  await expect(point).toHaveAttribute("aria-invalid", "false");
  await point.press("Enter");
  await expect(page.getByRole("list", { name: "Breakpoints" }).getByRole("listitem")).toHaveCount(1);

  await page.getByRole("button", { name: "Debug", exact: true }).click();
  await expect(bar(page)).toContainText("Breakpoint 1");
  const first = plain.findIndex(({ text }) => text === target) + 1;
  await expect(generated(page)).toHaveCount(first);
  await expect(bar(page)).toContainText(`PAUSED at ${first}`);
  await expect(page.getByRole("list", { name: "Watches" }).locator("b")).toHaveText(/\d/);
  await settled(page);

  // Over a token; the page shows the run up to there.
  await press(page, "Over");
  await expect(generated(page)).toHaveCount(first + 1);
  await expect(generated(page).last()).toContainText((plain[first]?.text ?? "?").trim());
  await settled(page);
  await expect(layer(page, 29)).toBeVisible();

  // Into the next one: parts of layers, what wrote most, the lens after each.
  await press(page, "Into");
  const frame = page.getByRole("region", { name: "Inside the step" });
  await expect(frame).toContainText("Layer 0 of 30");
  await settled(page);
  await looksAsKept(page, "session");
  await accessible(page, "main");
  await fewTabStops(page);
  // By the terminal's letters too, and not where one writes.
  await point.press("n");
  await expect(point).toHaveValue("n");
  await point.fill("");
  await point.blur();
  await type(page, "s");
  await expect(frame.getByRole("list", { name: "Parts so far" }).getByRole("listitem")).toHaveCount(2);
  await frame.getByRole("button", { name: "Run to layer 5" }).click();
  await expect(frame).toContainText("Layer 5 of 30");
  await expect(frame.getByRole("list", { name: "What wrote most" }).getByRole("listitem").first()).toContainText(
    /L5[HD]\d+/,
  );
  await type(page, "r");
  await expect(frame).toBeHidden();
  await expect(generated(page)).toHaveCount(first + 2);

  // Back is a position of the tree: then forward is the same.
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: /back, undo a step/ }).click();
  await expect(generated(page)).toHaveCount(first + 1);
  // Edit and continue: another branch.
  await page.getByRole("textbox", { name: "Add an edit" }).fill("L29H3=off");
  await page.keyboard.press("Enter");
  await expect(bar(page)).toContainText("Edited");
  await press(page, "Over");
  await expect(generated(page)).toHaveCount(first + 2);
  // Another token than the last one.
  await bar(page).getByRole("button", { name: "Force token" }).click();
  const other = page.getByRole("menuitem").nth(2);
  const forced = ((await other.locator(".token").textContent()) ?? "?").replace("·", "").trim();
  await other.click();
  await expect(bar(page)).toHaveAttribute("data-busy", "false");
  await expect(generated(page).last()).toContainText(forced);

  await page.getByRole("button", { name: /^Runs/ }).click();
  const tree = page.getByRole("list", { name: "Tree of the session" });
  const nodes = tree.getByRole("button", { name: /position \d/ });
  const count = await nodes.count();
  expect(count).toBeGreaterThan(first + 3);
  await expect(tree.getByRole("button", { name: /, forced/ })).toHaveCount(1);
  // What differs from another branch.
  const aside = tree
    .locator("li")
    .filter({ has: page.locator('[data-path="false"]') })
    .first();
  await aside.getByRole("button", { name: /^More for/ }).click();
  await page.getByRole("menuitem", { name: "What differs from where I am" }).click();
  await expect(page.getByRole("region", { name: "What differs" })).toContainText(/KL .* nats/);

  await reload(page);
  await answered(page);
  await expect(bar(page)).toContainText(`PAUSED at ${first + 2}`);
  await expect(generated(page).last()).toContainText(forced);
  await expect(nodes).toHaveCount(count);
  // Left, it is in the list, and opened from there.
  await bar(page).getByRole("button", { name: "Leave the session" }).click();
  await expect(bar(page)).toBeHidden();
  await page
    .getByRole("list", { name: "Sessions" })
    .getByRole("button", { name: new RegExp(`^${PROMPT}`) })
    .first()
    .click();
  await expect(bar(page)).toContainText(`PAUSED at ${first + 2}`);
  await page
    .getByRole("list", { name: "Sessions" })
    .getByRole("button", { name: /^Remove/ })
    .first()
    .click();
  await expect(bar(page)).toBeHidden();
  expect(wrong).toEqual([]);
});

test("the tour leads from what is seen to a fix; its report is adopted and makes the token win", async ({ page }) => {
  test.setTimeout(200_000);
  page.setDefaultTimeout(20_000);
  const wrong = complaints(page);
  await page.goto("/?lens=logit");
  await page.getByRole("button", { name: "Take the tour" }).click();
  const tour = page.getByRole("region", { name: "Guided tour" });
  for (const title of [
    "Observe",
    "One layer",
    "Why this token",
    "Where it came from",
    "Change it",
    "Stop where",
    "Fix it",
  ]) {
    await expect(tour.getByRole("heading")).toContainText(title);
    await expect(page.locator("[data-tour]")).toBeVisible();
    if (title !== "Fix it") await tour.getByRole("button", { name: "Next" }).click();
  }
  await tour.getByRole("button", { name: "Close" }).click();
  await answered(page);
  const fix = page.getByRole("region", { name: "Fix", exact: true });
  await fix.getByRole("button", { name: /^Make win/ }).click();
  await page.getByRole("button", { name: "·teacher", exact: true }).click();
  await fix.getByRole("button", { name: "Fix", exact: true }).click();
  const report = fix.getByRole("group", { name: "Report of the fix" });
  await expect(report).toBeVisible({ timeout: 150_000 });
  await expect(report).toContainText(/^Fixed with \d edit/);
  await expect(report).toContainText(/KL .* on \d+ other texts/);
  await accessible(page, 'section[aria-label="Fix"]');
  await fewTabStops(page);
  const edits = await report.getByRole("list", { name: "Edits of the fix" }).getByRole("listitem").count();
  await report.getByRole("button", { name: "Adopt the edits" }).click();
  await settled(page);
  await expect(page.getByRole("group", { name: "Concept fix ·teacher" })).toBeVisible();
  expect(edits).toBeGreaterThan(0);
  // B's most probable token is now the one that was wanted.
  await expect(output(page).getByRole("row").nth(1)).toContainText("·teacher");
  expect(wrong).toEqual([]);
});
