// Clusters: made with progress, browsed on the map and in the list, opened, renamed, and put into a prediction.
import { expect, test, type Page } from "@playwright/test";
import { address, answered, complaints, output, WIFE } from "./pages";

test.describe.configure({ mode: "serial" });

const map = (page: Page) => page.getByRole("region", { name: "Map of clusters" });
const list = (page: Page) => page.getByRole("list", { name: "Clusters" });

/** Number of clusters that the server knows: what its cache holds of an earlier run. */
async function known(page: Page): Promise<number | null> {
  const answer = await page.request.get("/api/clusters");
  return answer.ok() ? ((await answer.json()) as { k: number }).k : null;
}

test("clusters are made: the work is seen, can be stopped, and ends in a map and a list", async ({ page }) => {
  await page.goto("/explore?tab=clusters");
  const before = await known(page);
  const k = before === 40 ? 41 : 40;
  if (before === null) await expect(page.getByRole("heading", { name: /^See what the model can say/ })).toBeVisible();
  else await page.getByRole("button", { name: "Make others…" }).click();
  const number = page.getByRole("textbox", { name: "Clusters" });
  const go = page.getByRole("button", { name: "Make clusters" });
  const bar = page.locator("form").getByRole("progressbar");
  await number.fill("1");
  await expect(go).toBeDisabled();
  await number.fill("900");
  await go.click();
  await expect(bar).toBeVisible();
  await page.locator("form").getByRole("button", { name: "Cancel" }).click();
  await expect(bar).toBeHidden();
  await expect(page.getByRole("alert")).toBeHidden();

  await number.fill(String(k));
  await go.click();
  await expect(bar).toBeVisible();
  await expect(map(page).getByRole("heading")).toHaveText(`${k} clusters`, { timeout: 80_000 });
  await expect(page.getByRole("status").filter({ hasText: `${k} clusters` })).toBeVisible();
  expect(await known(page)).toBe(k);
});

test("the list is sorted and searched, by keyboard too", async ({ page }) => {
  const wrong = complaints(page);
  await page.goto("/explore?tab=clusters");
  await page.getByRole("radio", { name: "Cohesion" }).click();
  await expect(page).toHaveURL(/cluster_sort=cohesion/);
  const cohesion = async (place: number) =>
    Number(await list(page).getByRole("link").nth(place).locator(".clusters__rowNumbers span").first().textContent());
  expect(await cohesion(0)).toBeGreaterThanOrEqual(await cohesion(1));
  const k = (await known(page)) ?? 0;
  await list(page).getByRole("link").first().focus();
  await page.keyboard.press("End");
  await expect(list(page).locator(`[aria-posinset="${k}"] a`)).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(list(page).locator(`[aria-posinset="${k - 1}"] a`)).toBeFocused();
  await page.getByRole("searchbox", { name: "Find clusters" }).fill("nothing is called so");
  await expect(page.getByText("No cluster has that")).toBeVisible();
  await page.getByRole("searchbox", { name: "Find clusters" }).fill("");
  await page.keyboard.press("Tab");
  await expect(page).not.toHaveURL(/cluster_filter/);
  expect(wrong).toEqual([]);
});

test("the map moves, enlarges and opens a cluster", async ({ page }) => {
  await page.goto("/explore?tab=clusters");
  const group = map(page).getByRole("group", { name: /^Map:/ });
  const picture = () => group.locator("canvas").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  await expect(group.locator("canvas")).toBeVisible();
  let before = await picture();
  const changes = async () => {
    await expect.poll(picture).not.toBe(before);
    before = await picture();
  };
  await group.focus();
  await page.keyboard.press("+");
  await changes();
  await page.keyboard.press("ArrowLeft");
  await changes();
  await page.keyboard.press("0");
  await changes();
  const box = await group.boundingBox();
  if (box === null) throw new Error("no map");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -300);
  await changes();
  await map(page).getByRole("button", { name: "Show all" }).click();
  // Across the map until a dot is hit: it says what it is, and a click opens it.
  const { clusters } = (await (await page.request.get("/api/clusters")).json()) as {
    clusters: { x: number; y: number; name: string }[];
  };
  const side = Math.min(box.width, box.height) - 72;
  const dot = clusters[0];
  if (dot === undefined) throw new Error("no cluster");
  const at = { x: box.x + box.width / 2 + (dot.x - 0.5) * side, y: box.y + box.height / 2 + (dot.y - 0.5) * side };
  await page.mouse.move(at.x - 1, at.y);
  await page.mouse.move(at.x, at.y);
  await expect(group.locator(".clusters__mapPointed strong")).toBeVisible();
  await page.mouse.click(at.x, at.y);
  await expect(page).toHaveURL(/cluster=\d+/);
  await expect(page.getByRole("list", { name: "Members, closest first" })).toBeVisible();
  await page.goBack();
  await expect(list(page)).toBeVisible();
});

test("a cluster is opened, renamed, and changes a prediction", async ({ page }) => {
  await page.goto(address({ p: WIFE }));
  await answered(page);
  await page.getByRole("link", { name: "Explore" }).click();
  await page.getByRole("link", { name: "Clusters" }).click();
  await expect(map(page)).toBeVisible();
  await list(page).getByRole("link").nth(3).click();
  const members = page.getByRole("list", { name: "Members, closest first" }).getByRole("listitem");
  await expect(members).toHaveCount(25);
  await expect(page.getByRole("img", { name: /^Promotes:/ })).toBeVisible();

  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name of this cluster" }).fill("my <b>cluster</b>");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "my <b>cluster</b>" })).toBeVisible();
  const value = (await members.first().getByRole("link").getAttribute("title")) ?? "";
  await members.first().getByRole("link").click();
  await expect(page).toHaveURL(new RegExp(`/explore/${value}`));
  await expect(page.getByRole("link", { name: "my <b>cluster</b>" })).toBeVisible();
  await page.goBack();

  await page.getByRole("radio", { name: "closest 5" }).click();
  await page.getByRole("button", { name: "Add to edits" }).click();
  await page.getByRole("link", { name: "See the prediction" }).click();
  await expect(page).toHaveURL(new RegExp(`e=[^&]*${value}%3Don`));
  // `on` measures all ranges when it is first used.
  await expect(output(page)).toContainText(/KL (?!0 )/, { timeout: 80_000 });
  await page.goto("/explore?tab=clusters&cluster=3");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name of this cluster" }).fill("");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "my <b>cluster</b>" })).toBeHidden();
});

test("a cluster that is not there is told", async ({ page }) => {
  await page.goto("/explore?tab=clusters&cluster=4000");
  await expect(page.getByText("There is no cluster 4000")).toBeVisible();
  await page.getByRole("link", { name: "All clusters" }).click();
  await expect(list(page)).toBeVisible();
});
