// What a newcomer does: each way through the page from the first screen to its end.
import { expect, test } from "@playwright/test";
import { fewTabStops } from "./accessibility";
import { HALF, looksAsKept } from "./baselines";
import { address, answered, complaints, layer, mapped, output, settled, tokens, WIFE } from "./pages";

test.use(HALF);

const VALUE = "L29D168";

test("the first screen shows the layers that decide, and has few tab stops", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await mapped(page);
  await expect(layer(page, 29)).toBeInViewport();
  await expect(page.getByRole("radio", { name: "Why" })).toHaveAttribute("aria-checked", "true");
  await settled(page);
  await looksAsKept(page, "first");
  await fewTabStops(page);
  expect(wrong).toEqual([]);
});

test("the palette opens a unit, searches a word, runs an example", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await page.keyboard.press("Control+k");
  await page.keyboard.type(VALUE.toLowerCase());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: VALUE })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("toward the end");
  await page.getByRole("option", { name: /^Toward the end/ }).click();
  await answered(page);
  await expect(page.getByRole("textbox", { name: "Prompt" })).toHaveValue(/^Toward the end/);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("teacher");
  await page.getByRole("option", { name: /^Search “teacher”/ }).click();
  await expect(page).toHaveURL(/\/explore\?q=teacher/);
});

test("a prompt that was not run says so, and what is shown until then is the old one", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await page.getByRole("textbox", { name: "Prompt" }).fill("Something else");
  await expect(page.getByText("not run yet")).toBeVisible();
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText("not run yet")).toBeHidden();
  await expect(tokens(page)).toContainText("Something");
});

test("resting on an edit previews what it does", async ({ page, request }) => {
  await page.goto(address({ p: WIFE, e: `${VALUE}=off` }));
  await settled(page);
  await page.getByRole("button", { name: `${VALUE}=off: open ${VALUE}` }).hover();
  const preview = page.getByRole("table", { name: `Effect of ${VALUE}` });
  await expect(preview).toBeVisible();
  const body = { a: { prompt: WIFE }, b: { prompt: WIFE, interventions: [`${VALUE}=off`] }, top_k: 5 };
  const answer = await request.post("/api/compare", { data: body });
  const first = ((await answer.json()) as { tokens: { text: string }[] }).tokens[0]?.text ?? "?";
  await expect(preview.getByRole("row").nth(1)).toContainText(first.replace(" ", "·"));
});

test("following a default token keeps the others, and their colours", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  const followed = output(page).locator('[aria-pressed="true"]');
  await expect(followed).toHaveCount(3);
  const colour = async (name: string) =>
    output(page)
      .getByRole("button", { name: `Follow ${name}`, exact: true })
      .getAttribute("style");
  const before = await colour("·nurse");
  await output(page).getByRole("button", { name: "Follow ·marketing", exact: true }).click();
  await expect(followed).toHaveCount(2);
  expect(await colour("·nurse")).toBe(before);
});

test("an edit of a late layer leaves the columns before it as they were", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await mapped(page);
  const asked: { layers: number[]; positions: number[] }[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/grid")) asked.push(request.postDataJSON() as (typeof asked)[number]);
  });
  await page.getByRole("textbox", { name: "Add an edit" }).fill("L28D270=40@4");
  await page.keyboard.press("Enter");
  await expect(output(page)).toContainText("KL");
  await settled(page);
  await mapped(page);
  const cells = asked.filter(({ layers }) => layers.length > 1);
  expect(new Set(cells.flatMap(({ layers }) => layers))).toEqual(new Set([28, 29]));
  expect(new Set(cells.flatMap(({ positions }) => positions))).toEqual(new Set([4, 5]));
});

test("a long prompt takes three lines, and narrow the setup is a rail", async ({ page }) => {
  await page.setViewportSize({ width: 1024, height: 768 });
  await page.goto(address({ p: `${WIFE} `.repeat(50).trim() }));
  await answered(page);
  const strip = await page.getByRole("region", { name: "Tokens", exact: true }).boundingBox();
  expect(strip?.height).toBeLessThan(110);
  await expect(page.getByRole("button", { name: /tokens$/ })).toBeVisible();
  await page.getByRole("button", { name: "Edits: 0" }).click();
  await expect(page.getByRole("textbox", { name: "Add an edit" })).toBeVisible();
  await page.getByRole("button", { name: "Inspector" }).click();
  await expect(output(page)).toBeVisible();
});
