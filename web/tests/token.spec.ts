// The way in: the printed URL opens the page, leaves no token in the address, and nobody else gets in. A server of its own.
import { expect, test } from "@playwright/test";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { command, folder, port } from "./browser";
import { answered, output, WIFE } from "./pages";

test("the URL with the token opens the page; without it there is none", async ({ page, browser }) => {
  test.setTimeout(240_000);
  const own = folder();
  const server = spawn(
    command,
    ["serve", "demo", "--no-browser", "--port", String(port + 3), "--database", join(own, "token.sqlite")],
    { env: { ...process.env, LM_DEBUGGER_SERVERS: join(own, "servers") } },
  );
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      server.stdout.on("data", (text: Buffer) => {
        said += text.toString();
        const found = /http:\S+/.exec(said);
        if (found) resolve(found[0]);
      });
      server.on("exit", () => reject(new Error(said)));
    });
    const [address = "", token = ""] = url.split("?token=");
    expect(token.length).toBeGreaterThan(20);

    const headers = { Authorization: `Bearer ${token}` };
    const ready = () => fetch(`${address}api/model`, { headers }).then(({ ok }) => ok);
    await expect.poll(ready, { timeout: 180_000 }).toBe(true);

    // Others first: a browser that does not know the token.
    const stranger = await browser.newPage();
    await stranger.goto(address);
    await expect(stranger.getByText("This server needs its token.")).toBeVisible();
    await stranger.close();

    await page.goto(`${address}?token=${token}&p=${encodeURIComponent(WIFE)}`);
    await expect.poll(() => page.url()).not.toContain("token");
    expect(page.url()).toContain("p=My");
    await answered(page);
    await expect(output(page)).toBeVisible();
    await page.reload();
    await answered(page);
  } finally {
    server.kill("SIGKILL");
  }
});
