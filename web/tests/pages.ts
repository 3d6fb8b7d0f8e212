// What the tests do with the page, in a user's words.
import { expect, type Locator, type Page } from "@playwright/test";

export const WIFE = "My wife is working as a";
export const TWO = "It was the first time that two";

/** The address of a view. */
export function address(state: Record<string, string | string[]>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) for (const item of [value].flat()) query.append(key, item);
  return `/?${query}`;
}

/** Light or dark, and the page has followed. */
export async function scheme(page: Page, colours: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme: colours });
  await expect(page.locator("html")).toHaveAttribute("data-theme", colours);
}

/** Load the page again, with the address that it has after a moment: it follows the state a few times a second. */
export async function reload(page: Page): Promise<void> {
  await page.evaluate(() => dispatchEvent(new Event("pagehide")));
  await page.reload();
}

/** Wait until a layer is there and is that of the run that was asked for: the answer has come. */
export async function answered(page: Page): Promise<void> {
  await expect(page.getByRole("article", { name: /^Layer \d+$/ }).first()).toBeAttached();
  await expect(page.getByRole("group", { name: "Layer panel" })).toHaveAttribute("aria-busy", "false");
}

/** Wait until nothing that is shown is of another run than was asked for. */
export async function settled(page: Page): Promise<void> {
  await answered(page);
  await expect(page.locator('[data-stale="true"]')).toHaveCount(0);
}

/** Wait until every column of the map in sight is there. */
export async function mapped(page: Page): Promise<void> {
  await expect(page.getByRole("group", { name: /^Map: / })).toHaveAttribute("aria-busy", "false");
}

export const layer = (page: Page, index: number): Locator =>
  page.getByRole("article", { name: `Layer ${index}`, exact: true });

export const tokens = (page: Page): Locator => page.getByRole("group", { name: "Tokens: choose where to read out" });

export const output = (page: Page): Locator => page.getByRole("region", { name: /^Next token/ });

/** Everything that the browser complains about, Content-Security-Policy included. */
export function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") found.push(message.text());
  });
  page.on("pageerror", (error) => found.push(error.message));
  return found;
}

export const inspector = (page: Page): Locator => page.getByRole("complementary", { name: "Inspector" });

/** Something of the menu at the end of the bar. */
export async function more(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name }).click();
}

/** What the server tells the page at the end of its next long work, so that it need not be asked twice. */
export async function overheard<T>(
  page: Page,
  path: string,
  asked: Record<string, unknown>,
): Promise<() => Promise<T>> {
  let resolve: (text: string) => void = () => {};
  const promise = new Promise<string>((done) => (resolve = done));
  await page.route(
    (url) => url.pathname === path,
    async (route) => {
      expect(route.request().postDataJSON()).toMatchObject(asked);
      const response = await route.fetch({ timeout: 120_000 });
      resolve(await response.text());
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  return async () => {
    const data = /^event: result\r?\ndata: (.*)$/m.exec(await promise)?.[1];
    expect(data, `${path} has a result`).toBeDefined();
    return JSON.parse(data ?? "") as T;
  };
}
