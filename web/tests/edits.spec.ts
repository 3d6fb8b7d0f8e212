// Value vectors and edits: details, names, switching off, comparing, undoing, sharing, generating.
import { expect, test, type Page } from "@playwright/test";
import { address, answered, complaints, layer, output, reload, tokens, WIFE } from "./pages";

const VALUE = "L29D168";

test("a value is opened from its chip, renamed, and its name is there after a reload", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto(address({ p: WIFE }));
  await answered(page);
  const chip = layer(page, 29).locator("[data-unit]").first();
  const value = /L29D\d+/.exec((await chip.getAttribute("aria-label")) ?? "")?.[0] ?? "";
  await chip.click();
  const details = page.getByRole("region", { name: value });
  await expect(details.getByRole("list", { name: "Promotes" }).getByRole("listitem")).toHaveCount(50);
  await expect(details.getByRole("list", { name: `Coefficient of ${value}` }).getByRole("listitem")).toHaveCount(6);
  await details.getByRole("textbox", { name: "Name of this vector" }).fill("jobs <b>bold</b>");
  await details.getByRole("textbox", { name: "Note about this vector" }).fill("seen in a test");
  await details.getByRole("button", { name: "Save" }).click();
  await expect(details.getByRole("button", { name: "Save" })).toBeHidden();
  await expect(layer(page, 29)).toContainText("jobs <b>bold</b>");
  await reload(page);
  await answered(page);
  await expect(layer(page, 29)).toContainText("jobs <b>bold</b>");
  await expect(details.getByRole("textbox", { name: "Note about this vector" })).toHaveValue("seen in a test");
  await details.getByRole("textbox", { name: "Name of this vector" }).fill("");
  await details.getByRole("textbox", { name: "Note about this vector" }).fill("");
  await details.getByRole("button", { name: "Save" }).click();
  await expect(layer(page, 29)).not.toContainText("jobs");
  expect(wrong).toEqual([]);
});

test("a value is switched off: base, edited and difference, undone and redone", async ({ page, request }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  const off = layer(page, 29)
    .getByRole("button", { name: /^Switch L29D\d+ off/ })
    .first();
  const value = /L29D\d+/.exec((await off.getAttribute("aria-label")) ?? "")?.[0] ?? "";
  await off.click();
  await expect(page).toHaveURL(new RegExp(`e=${value}%3Doff`));
  await expect(output(page)).toContainText("KL");
  const answer = await request.post("/api/trace", { data: { prompt: WIFE, interventions: [`${value}=off`] } });
  const { comparison } = (await answer.json()) as { comparison: { tokens: { text: string }[]; changed: boolean } };
  expect(comparison.changed).toBe(true);
  await expect(output(page).getByRole("row").nth(1)).toContainText(
    comparison.tokens[0]?.text.replaceAll(" ", "·") ?? "?",
  );

  await page.getByRole("radio", { name: "Δ" }).click();
  await expect(
    layer(page, 29)
      .getByRole("button", { name: /difference [+−]/ })
      .first(),
  ).toBeAttached();
  await page.getByRole("radio", { name: "A", exact: true }).click();
  await expect(page).toHaveURL(/show=base/);

  await page.getByRole("switch", { name: `${value} in force` }).click();
  await expect(output(page)).not.toContainText("KL");
  await page.keyboard.press("Control+z");
  await expect(output(page)).toContainText("KL");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("The model as it is")).toBeVisible();
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(page.getByRole("switch", { name: `${value} in force` })).toBeVisible();
});

test("an edit is typed; what is wrong with it is said; the slider speaks the vector's own units", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  const box = page.getByRole("textbox", { name: "Add an edit" });
  await box.fill("L12");
  await box.press("Enter");
  await expect(page.getByRole("alert")).toContainText("does not name a value vector or a head");
  await box.fill("L77D1=on");
  await box.press("Enter");
  await expect(page.getByRole("alert")).toContainText("There is no layer 77");
  await box.fill(`${VALUE}=on@prompt`);
  await box.press("Enter");
  await expect(page).toHaveURL(new RegExp(`e=${VALUE}%3Don%40prompt`));
  const slider = page.getByRole("slider", { name: `Strength of ${VALUE}` });
  // Measured when `on` is first used; that takes a while on a fresh cache.
  await expect(slider).toHaveAttribute("aria-valuenow", "1", { timeout: 80_000 });
  await slider.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page).toHaveURL(new RegExp(`e=${VALUE}%3Don\\*0.95%40prompt`));
  await page.keyboard.press("ArrowRight");
  await expect(page).toHaveURL(new RegExp(`e=${VALUE}%3Don%40prompt`));
  await page.getByRole("button", { name: `More of the edit of ${VALUE}` }).click();
  await page.getByRole("combobox", { name: `Where ${VALUE} is edited` }).selectOption("last");
  await expect(page).toHaveURL(new RegExp(`e=${VALUE}%3Don%40last`));
});

test("the prompt is continued with and without edits, and read out in the continuation", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await page.getByRole("button", { name: "Number of tokens and sampling" }).click();
  await page.getByRole("radio", { name: "5", exact: true }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Generate 5" }).click();
  await expect(tokens(page).getByRole("button", { name: /generated/ })).toHaveCount(5);
  await answered(page);
  await tokens(page)
    .getByRole("button", { name: /Position 8, generated/ })
    .click();
  await expect(output(page)).toContainText("after position 8");

  await page.getByRole("textbox", { name: "Add an edit" }).fill("L28D270=40");
  await page.keyboard.press("Enter");
  // B's continuation is in the strip; A's has a lane of its own from where they part.
  const lane = page.getByRole("group", { name: "Continuation of A" });
  await expect(lane).toContainText("from");
  const own = tokens(page).getByRole("button", { name: /generated/ });
  const parted = await own.evaluateAll((all) => all.filter((one) => one.dataset.parted === "true").length);
  await expect(lane.locator(".token")).toHaveCount(parted);
  expect(parted).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Remove the continuation" }).click();
  await expect(tokens(page).getByRole("button")).toHaveCount(6);
});

test("a generation is stopped; the address holds what came, no more", async ({ page, browser }) => {
  const generated = (one: Page) => tokens(one).getByRole("button", { name: /generated/ });
  await page.goto(address({ p: WIFE, generate: "400" }));
  await expect(generated(page).nth(2)).toBeAttached();
  await page.getByRole("button", { name: "Stop" }).click();
  await answered(page);
  const count = await generated(page).count();
  expect(count).toBeLessThan(400);
  await expect(page).toHaveURL(new RegExp(`generate=${count}(&|$)`));
  const other = await (await browser.newContext()).newPage();
  await other.goto(page.url());
  await answered(other);
  await expect(generated(other)).toHaveCount(count);
  await other.context().close();
});

test("a shared address shows the same elsewhere", async ({ page, browser }) => {
  await page.goto(
    address({
      p: WIFE,
      e: [`${VALUE}=off`, "!L12D3=on"],
      at: "4",
      layer: "12",
      value: VALUE,
      show: "difference",
      color: "entropy",
    }),
  );
  await answered(page);
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(page.url());
  await answered(other);
  await expect(output(other)).toHaveText((await output(page).textContent()) ?? "?");
  await expect(other.getByRole("switch", { name: "L12D3 in force" })).toHaveAttribute("aria-checked", "false");
  await expect(other.getByRole("combobox", { name: "Colour by" })).toHaveValue("entropy");
  await expect(other.getByRole("region", { name: VALUE })).toBeVisible();
  await expect(layer(other, 12)).toBeInViewport();
  await context.close();
});

test("an edit is swept over its strengths, and a point is adopted; a direction of the stream too", async ({ page }) => {
  test.setTimeout(180_000);
  await page.goto(address({ p: WIFE, e: "L27D1012=on" }));
  await answered(page);
  await page.getByRole("button", { name: "More of the edit of L27D1012" }).click();
  await page.getByRole("button", { name: "Sweep", exact: true }).click();
  const chart = page.getByRole("figure", { name: "Sweep of L27D1012" });
  await expect(chart.getByRole("button")).toHaveCount(21, { timeout: 120_000 });
  await expect(chart).toContainText("KL up to");
  await page.screenshot({ path: "test-results/sweep.png" });
  await chart.getByRole("button").last().click();
  await expect(page).toHaveURL(/e=L27D1012%3D\d/);

  const box = page.getByRole("textbox", { name: "Add an edit" });
  await box.fill('L20R(" doctor")+=0.5');
  await box.press("Enter");
  await expect(page.getByRole("slider", { name: 'Added along L20R(" doctor")' })).toBeVisible();
  await expect(output(page)).toContainText("doctor", { timeout: 60_000 });
  await page.screenshot({ path: "test-results/direction.png" });
});
