// The page's tests: a real Chromium against the real server with the demo model and a database of its own.
import { defineConfig } from "@playwright/test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, launch, port } from "./tests/browser";
import { cacheWith } from "./tests/cache";

// Workers read this file too; the first process makes the folder and hands it on.
process.env.LM_DEBUGGER_E2E_FOLDER ??= mkdtempSync(join(tmpdir(), "lm-debugger-e2e-"));
// Of clusters one lot is kept: the user's must not be replaced.
process.env.LM_DEBUGGER_E2E_CACHE ??= cacheWith("demo", "anatomy", "calibration", "statistics");
const database = join(process.env.LM_DEBUGGER_E2E_FOLDER, "page.sqlite");

export default defineConfig({
  testDir: "tests",
  testMatch: "*.spec.ts",
  timeout: 90_000,
  expect: { timeout: 30_000 },
  workers: 1,
  forbidOnly: !!process.env.CI,
  reporter: [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    launchOptions: launch,
    trace: "retain-on-failure",
  },
  webServer: {
    command: `${command} serve demo --no-browser --no-token --port ${port} --database ${database}`,
    env: { LM_DEBUGGER_CACHE: process.env.LM_DEBUGGER_E2E_CACHE },
    url: `http://127.0.0.1:${port}/api/model`,
    timeout: 300_000,
  },
});
