// Tracing: an example, another token, layers and positions by keyboard, tokens that look like markup.
import { expect, test } from "@playwright/test";
import { address, answered, complaints, layer, mapped, output, tokens, TWO } from "./pages";

test("an example is traced, with the model's own prediction", async ({ page, request }) => {
  const wrong = complaints(page);
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "See how a prediction is built" })).toBeVisible();
  await page.getByRole("button", { name: "Examples" }).click();
  await page.getByRole("menuitem", { name: TWO }).click();
  await answered(page);
  const answer = await request.post("/api/trace", { data: { prompt: TWO } });
  const { output: expected } = (await answer.json()) as { output: { text: string }[] };
  const first = output(page).getByRole("row").nth(1);
  await expect(first).toContainText(expected[0]?.text.replaceAll(" ", "·") ?? "?");
  await expect(layer(page, 29).getByText("output")).toBeVisible();
  await expect(page).toHaveURL(/[?&]p=It\+was/);
  expect(wrong).toEqual([]);
});

test("a prompt is written and traced with the keyboard; a trailing space is warned of", async ({ page }) => {
  await page.goto("/");
  const prompt = page.getByRole("textbox", { name: "Prompt" });
  await prompt.fill("The capital of France is ");
  await expect(page.getByText("Ends with “␣”")).toBeVisible();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("Ends with “␣”")).toBeHidden();
  await prompt.press("Control+Enter");
  await answered(page);
  await expect(tokens(page).getByRole("button")).toHaveCount(5);
});

test("another token is read out", async ({ page }) => {
  await page.goto(address({ p: TWO }));
  await answered(page);
  await tokens(page).getByRole("button", { name: "·first" }).click();
  await expect(output(page)).toContainText("after position 3");
  await expect(page).toHaveURL(/at=3/);
  await expect(tokens(page).getByRole("button", { name: "·first" })).toHaveAttribute("aria-pressed", "true");
});

test("arrow keys move through layers and positions, ? shows the shortcuts", async ({ page }) => {
  await page.goto(address({ p: TWO }));
  await answered(page);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(page).toHaveURL(/layer=27/);
  await expect(layer(page, 27)).toBeVisible();
  await page.keyboard.press("ArrowUp");
  await expect(layer(page, 28)).toBeVisible();
  await page.keyboard.press("l");
  await expect(page.getByRole("button", { name: "Choose layer 28", exact: true })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await expect(layer(page, 28)).toBeInViewport();
  await page.keyboard.press("l");
  await page.keyboard.press("ArrowLeft");
  await expect(page).toHaveURL(/at=5/);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("a click in the map chooses layer and position; the last layer is on top", async ({ page }) => {
  await page.goto(address({ p: TWO }));
  await answered(page);
  const grid = page.getByRole("img", { name: /most probable token after each of 30 layers/ });
  await mapped(page);
  // Third column, third row: nothing folds above it in this prompt.
  await grid.click({ position: { x: 52 + 2.5 * 100, y: 20 + 2.5 * 17 } });
  await expect(page).toHaveURL(/layer=27/);
  await expect(page).toHaveURL(/at=2/);
});

test("tokens are text, whatever they hold", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: 'Say <script>alert("x")</script> <img src=x onerror=alert(1)>\n\n&amp;' }));
  page.on("dialog", () => wrong.push("a dialog opened"));
  await answered(page);
  await expect(tokens(page)).toContainText("script");
  await expect(tokens(page)).toContainText("↵");
  await expect(tokens(page).locator("script, img")).toHaveCount(0);
  expect(wrong).toEqual([]);
});

test("a token and watches are followed through the layers, and along the continuation", async ({ page, request }) => {
  await page.goto(address({ p: TWO, panel: "trajectory" }));
  await answered(page);
  await page.getByRole("textbox", { name: "Follow a token by its text" }).fill(" people");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Followed tokens" })).toContainText("·people");
  await expect(page.getByRole("img", { name: /probability through the layers: .*·people/ })).toBeVisible();
  await page.getByRole("radio", { name: "Rank" }).click();
  await expect(page.getByRole("img", { name: /rank through the layers/ })).toBeVisible();

  await page.getByRole("radio", { name: "Watches" }).click();
  const box = page.getByRole("combobox", { name: "Chart a watch" });
  for (const watch of ["entropy()", "top()"]) {
    await box.fill(watch);
    await box.press("Enter");
  }
  const data = { prompt: TWO, watches: ["entropy()"], max_new_tokens: 3, compare: false };
  const trace = await request.post("/api/trace", { data: { prompt: TWO, watches: ["entropy()"] } });
  const [path] = ((await trace.json()) as { watches: { value: number; values: number[]; before: number[] }[] }).watches;
  const all = [...(path?.values ?? []), ...(path?.before ?? [])];
  const chart = page.getByRole("region", { name: "Watch entropy()" });
  await expect(chart).toContainText(path?.value.toFixed(2) ?? "?");
  const said = new RegExp(`^entropy\\(\\) through the layers: from .* to ${Math.max(...all).toFixed(2)}$`);
  await expect(chart.getByRole("img", { name: said })).toBeVisible();
  await page.getByRole("list", { name: "top() through the layers" }).getByRole("button").first().click();
  await expect(page).toHaveURL(/layer=0(&|$)/);
  // The same continuation as is shown, with the watches.
  const generated = await request.post("/api/generate", { data });
  const steps = ((await generated.json()) as { watches: { values: number[] }[] }).watches[0]?.values ?? [];
  await page.getByRole("radio", { name: "Steps" }).click();
  await expect(page.getByText("No steps yet")).toBeVisible();
  await expect(page).toHaveURL(/along=steps/);
  await page.goto(`${page.url()}&generate=3`);
  await expect(chart).toContainText(steps.at(-1)?.toFixed(2) ?? "?");
  await expect(page.getByRole("list", { name: "top() through the steps" }).getByRole("button").first()).toBeVisible();
});

test("what is wrong is said, with the cure", async ({ page }) => {
  // The server works, but not all of it.
  await page.route("**/api/health", async (route) => {
    const answer = await route.fetch();
    const problem = { code: "store", what: "The database is locked.", cure: "Close the other program." };
    await route.fulfill({ json: { ...((await answer.json()) as object), warnings: [problem] } });
  });
  await page.goto(address({ p: TWO, value: "L99D1", layer: "77", panel: "heads" }));
  await expect(page.getByRole("region", { name: "L99D1" }).getByRole("alert")).toContainText("L99D1");
  await expect(page.getByRole("status").filter({ hasText: "The database is locked." })).toContainText(
    "Close the other",
  );
  await expect(layer(page, 29)).toBeVisible(); // the last one that there is
  await page.getByRole("textbox", { name: "Add an edit" }).fill("L1D99999=off");
  await page.keyboard.press("Enter");
  await expect(page.getByText("The model did not run")).toBeVisible();
  await page.unrouteAll({ behavior: "ignoreErrors" }); // one may be under way
});

test("sub-updates are sorted by their effect on a token", async ({ page }) => {
  await page.goto(address({ p: TWO, layer: "27" }));
  await answered(page);
  await page.getByLabel("Sort updates by").selectOption("effect");
  const chips = layer(page, 27).locator("[data-unit]");
  await expect(chips.first()).toHaveAttribute("title", /direct effect on the followed token's logit/);
  const titles = await chips.evaluateAll((all) => all.map((chip) => chip.getAttribute("title") ?? ""));
  const effects = titles.map((title) =>
    Number((/logit (\S+)/.exec(title)?.[1] ?? "").replace("\u2212", "-").replace("+", "")),
  );
  expect(effects.length).toBe(10);
  expect(effects).toEqual([...effects].sort((a, b) => b - a));
});
