// The ways to a prediction: its flow, the heads of a prompt, where two prompts part, parts switched off to verify.
import { expect, test } from "@playwright/test";
import { accessible, fewTabStops } from "./accessibility";
import { HALF, looksAsKept } from "./baselines";
import { address, answered, complaints, inspector, overheard, settled, WIFE } from "./pages";

interface Bisection {
  layer: number | null;
  read: number;
  units: string[];
  cells: (number | null)[][];
  swaps: unknown[];
}

test.use(HALF);

const MAP = 'section[aria-label="Map of layers and tokens"]';

interface Edge {
  kind: string;
  layer: number;
  source: number;
  target: number;
  contribution: number;
  heads: { head: string }[];
}

test("the flow shows few edges, more by the threshold; an edge tells its heads, a feed-forward its vectors", async ({
  page,
  request,
}) => {
  const wrong = complaints(page);
  await page.goto(address({ p: WIFE, panel: "flow" }));
  await answered(page);
  const list = page.getByRole("list", { name: "Edges by contribution" });
  const rows = list.getByRole("button");
  await expect(rows.first()).toBeVisible();
  expect(await rows.count()).toBeLessThanOrEqual(15);
  const few = await rows.count();

  const answer = await request.post("/api/flow", { data: { prompt: WIFE, threshold: 0.05 } });
  const { edges } = (await answer.json()) as { edges: Edge[] };
  const added = edges.filter(({ kind }) => !kind.startsWith("past"));
  const thumb = page.getByRole("slider", { name: "Least contribution" });
  await thumb.focus();
  for (let steps = 0; steps < 60 && (await rows.count()) === few; steps++) await page.keyboard.press("ArrowLeft");
  expect(await rows.count()).toBeGreaterThan(few);
  await page.goto(address({ p: WIFE, panel: "flow", least: "0.05" }));
  // The page goes through the graph as the server does.
  await expect(rows).toHaveCount(Math.min(added.length, 60));
  await settled(page);
  await looksAsKept(page, "flow");
  await accessible(page, MAP);
  await fewTabStops(page);

  const attention = added.find(({ kind }) => kind === "attention");
  const key = `a.${attention?.layer}.${attention?.source}.${attention?.target}`;
  await page.locator(`[data-edge="${key}"] path`).first().dispatchEvent("click");
  const heads = page.getByRole("list", { name: "Heads of the edge" });
  await expect(heads.getByRole("button", { name: /^Open / })).toHaveCount(attention?.heads.length ?? -1);
  await expect(heads.getByRole("button", { name: /^Open / }).first()).toHaveText(
    new RegExp(`^${attention?.heads[0]?.head}`),
  );
  // Pinned, its route stays where the threshold is too high for it.
  await page.getByRole("button", { name: "pin", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`pin=${key}`));
  await heads
    .getByRole("button", { name: /^Open / })
    .first()
    .click();
  await expect(inspector(page).getByRole("radio", { name: "Head" })).toHaveAttribute("aria-checked", "true");
  await page.goto(page.url().replace("least=0.05", "least=0.5"));
  await expect(page.locator(`[data-edge="${key}"][data-pinned="true"]`)).toBeAttached();
  await expect(page.locator('[data-edge^="a."]')).toHaveCount(1);

  await page.getByRole("button", { name: "All edges" }).click();
  const forward = added.find(({ kind, target }) => kind === "feed-forward" && target === 5);
  await page.goto(address({ p: WIFE, panel: "flow", edge: `f.${forward?.layer}.5.5` }));
  const values = page
    .getByRole("list", { name: "Value vectors of the feed-forward" })
    .getByRole("button", { name: /^Open / });
  await expect(values).toHaveCount(10);
  await expect(values.first()).toHaveText(new RegExp(`^L${forward?.layer}D\\d+`));
  expect(wrong).toEqual([]);
});

test("all heads of a prompt are ranked by what they do", async ({ page, request }) => {
  const twice = "The cat sat. The cat";
  await page.goto(address({ p: twice, panel: "heads" }));
  await answered(page);
  const table = page.getByRole("table", { name: "Heads of the prompt" });
  await expect(table.getByRole("row").nth(1)).toBeVisible();
  const answer = await request.post("/api/heads", { data: { prompt: twice } });
  const { heads } = (await answer.json()) as { heads: { head: string; norm: number; induction: number | null }[] };
  const best = (of: (head: (typeof heads)[number]) => number) =>
    [...heads].sort((a, b) => of(b) - of(a))[0]?.head ?? "?";
  await expect(table.getByRole("row").nth(1)).toContainText(best(({ norm }) => norm));
  await settled(page);
  await looksAsKept(page, "heads");
  await accessible(page, MAP);
  await fewTabStops(page);
  await table.getByRole("button", { name: "induction" }).click();
  await expect(table.getByRole("row").nth(1)).toContainText(best(({ induction }) => induction ?? -1));
  await expect(page).toHaveURL(/heads=induction/);
  await page.getByRole("button", { name: `All ${heads.length} heads` }).click();
  await expect(table.getByRole("row")).toHaveCount(heads.length + 1);
});

test("where two prompts part: a cell is the run with one activation of the other in its place", async ({ page }) => {
  test.slow();
  const other = "My husband is working as a";
  await page.goto(address({ p: WIFE, panel: "patch" }));
  await answered(page);
  await page.getByRole("textbox", { name: "from" }).fill(other);
  await page.getByRole("radio", { name: "Feed-forward" }).click();
  const patched = await overheard<{ cells: number[][]; together: number[] }>(page, "/api/patch", {
    source: other,
    part: "ffn",
  });
  await page.getByRole("button", { name: "Patch", exact: true }).click();
  const table = page.getByRole("table", { name: /^Difference in logits with the ffn patched/ });
  await expect(table).toBeVisible({ timeout: 120_000 });
  await settled(page);
  await looksAsKept(page, "patch");
  await accessible(page, MAP);
  await fewTabStops(page);
  const { cells, together } = await patched();
  const said = async (name: RegExp) =>
    Number((await table.getByRole("button", { name }).textContent())?.replace("−", "-") ?? "x");
  expect(await said(/^layer 20, ·a 5:/)).toBeCloseTo(cells[20]?.[5] ?? NaN, 1);
  expect(await said(/^layer 20, all:/)).toBeCloseTo(together[20] ?? NaN, 1);
  await table.getByRole("button", { name: /^layer 20, ·wife 1:/ }).click();
  await expect(page).toHaveURL(/at=1.*layer=20/);
  await expect(page).toHaveURL(/from=My\+husband.*part=ffn/);
  // The map stays that of the prediction that was asked for.
  await expect(table.getByRole("button", { name: /^layer 20, ·a 5:/ })).toHaveText(/\d/);
  await expect(page.getByText("the prediction after ·a 5")).toBeVisible();

  const bisected = await overheard<Bisection>(page, "/api/bisect", {});
  await page.getByRole("radio", { name: "Bisect" }).click();
  const grid = page.getByRole("table", { name: /^Lead of the other answer/ });
  await expect(grid).toBeVisible({ timeout: 60_000 });
  const found = await bisected();
  expect(found.read).toBe(5);
  const place = page.getByRole("group", { name: "Where it tips" });
  await expect(place).toContainText(`layer ${found.layer}`);
  for (const unit of found.units.slice(0, 3)) {
    await expect(place.getByRole("button", { name: `Open ${unit}`, exact: true })).toBeVisible();
  }
  const cell = grid.getByRole("button", { name: new RegExp(`^layer ${found.layer}, ·a 5:`) });
  expect(Number((await cell.textContent())?.replace("−", "-"))).toBeCloseTo(
    found.cells[found.layer ?? 0]?.[5] ?? NaN,
    1,
  );
  await cell.click();
  await expect(page).toHaveURL(new RegExp(`at=5.*layer=${found.layer}(&|$)`));
  await page.getByText(/^Proved by/).click();
  await expect(page.getByRole("list", { name: "Swaps that were run" }).getByRole("listitem")).toHaveCount(
    found.swaps.length,
  );
  // Paths: what one part reads of each head.
  const sent = await overheard<{ paths: { sender: string; difference: number }[] }>(page, "/api/path-patch", {
    source: other,
    receiver: "output",
  });
  await page.getByRole("radio", { name: "Paths" }).click();
  const senders = page.getByRole("table", { name: /^Difference in logits with what output reads/ });
  await expect(senders).toBeVisible({ timeout: 60_000 });
  const { paths } = await sent();
  const [, at = "?", head = "?"] = /^L(\d+)H(\d+)$/.exec(paths[0]?.sender ?? "") ?? [];
  const sender = senders.getByRole("button", { name: new RegExp(`^layer ${at}, H${head} `) });
  expect(Number((await sender.textContent())?.replace("−", "-"))).toBeCloseTo(paths[0]?.difference ?? NaN, 1);
  await sender.click();
  await expect(page.getByRole("button", { name: `Paths to L${at}H${head}` })).toBeVisible();
  await page.getByRole("radio", { name: "Bisect" }).click();
  // A against B: with edits, from the palette.
  await page.getByRole("textbox", { name: "Add an edit" }).fill("L22D75=80");
  await page.keyboard.press("Enter");
  await settled(page);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("bisect");
  await page.getByRole("option", { name: /^Bisect: where A and B part/ }).click();
  await expect(place).toContainText("layer 22, feed-forward", { timeout: 60_000 });
  await expect(place.getByRole("button", { name: "Open L22D75", exact: true })).toBeVisible();
});

test("why: against another token, swapped, and verified by switching parts off", async ({ page, request }) => {
  await page.goto(address({ p: WIFE }));
  await settled(page);
  const why = page.getByRole("region", { name: "Why", exact: true });
  await why.getByRole("button", { name: /^Against:/ }).click();
  await page.getByRole("button", { name: "·teacher", exact: true }).click();
  await expect(page).toHaveURL(/vs=\d+/);
  const parts = why.getByRole("table").getByRole("row");
  const data = { prompt: WIFE, target: " nurse", against: " teacher", top_k: 40, verify: 10 };
  const answer = await request.post("/api/why", { data });
  const told = (await answer.json()) as { difference: number; parts: { part: string; measured: number | null }[] };
  await expect(parts.nth(1)).toContainText(told.parts[0]?.part ?? "?");
  await expect(why).toContainText(`+${told.difference.toFixed(2)}`);

  await why.getByRole("button", { name: "Verify" }).click();
  await expect(why.getByRole("columnheader", { name: "measured" })).toBeVisible();
  const measured = told.parts.filter((part) => part.measured !== null);
  expect(measured.length).toBeGreaterThan(3);
  for (const { part, measured: by } of measured.slice(0, 3)) {
    const row = parts.filter({ has: page.getByRole("button", { name: `Open ${part}`, exact: true }) });
    const text = (await row.locator('[data-side="extra"]').textContent()) ?? "";
    expect(Number(text.replace("−", "-").replace("+", ""))).toBeCloseTo(by ?? NaN, 1);
  }

  // By another estimate, split by the tokens that heads read.
  await why.getByText(/^How it is measured/).click();
  await why.getByRole("checkbox", { name: "what heads brought from each token" }).check();
  await why.getByRole("button", { name: "Verify" }).click();
  await why.getByRole("combobox", { name: "estimate by" }).selectOption("gradient");
  await expect(why.getByRole("columnheader", { name: "estimate" })).toBeVisible();
  const split = { ...data, verify: 0, estimate: "gradient", sources: true };
  const byToken = (await (await request.post("/api/why", { data: split })).json()) as {
    parts: { part: string; estimate: number; sources: { position: number; effect: number }[] }[];
  };
  const reader = byToken.parts.find(({ sources }) => sources.length > 0);
  const most = [...(reader?.sources ?? [])].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))[0];
  const readerRow = parts.filter({ has: page.getByRole("button", { name: `Open ${reader?.part}`, exact: true }) });
  await expect(readerRow).toContainText(new RegExp(`from \\S+ ${most?.position} `));
  const estimated = (await readerRow.locator('[data-side="extra"]').textContent()) ?? "";
  expect(Number(estimated.replace("−", "-").replace("+", ""))).toBeCloseTo(reader?.estimate ?? NaN, 1);

  await why.getByRole("button", { name: "Swap the tokens" }).click();
  await expect(why).toContainText(`−${told.difference.toFixed(2)}`);
});
