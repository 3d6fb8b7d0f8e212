// The page's tests: a real Chromium against real servers with the demo model, one a worker, each with a database of its own.
import { defineConfig } from "@playwright/test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, launch, port, portOf } from "./tests/browser";
import { cacheWith } from "./tests/cache";

// Tests wait more than they compute: two lots side by side take little more than half the time on two cores.
const WORKERS = Number(process.env.LM_DEBUGGER_E2E_WORKERS ?? 2);

export const server = (worker: number) => {
  // Workers read this file too; the first process makes the folders and hands them on.
  const folder = (process.env[`LM_DEBUGGER_E2E_FOLDER_${worker}`] ??= mkdtempSync(join(tmpdir(), "lm-debugger-e2e-")));
  // Of clusters one lot is kept: the user's must not be replaced.
  const cache = (process.env[`LM_DEBUGGER_E2E_CACHE_${worker}`] ??= cacheWith(
    ...["demo", "anatomy", "calibration", "statistics", "held", "lengths"],
  ));
  const database = join(folder, "page.sqlite");
  return {
    command: `${command} serve demo --no-browser --no-token --port ${portOf(worker)} --database ${database}`,
    env: { LM_DEBUGGER_CACHE: cache },
    url: `http://127.0.0.1:${portOf(worker)}/api/model`,
    timeout: 300_000,
  };
};

export default defineConfig({
  testDir: "tests",
  testMatch: "*.spec.ts",
  timeout: 90_000,
  expect: { timeout: 30_000 },
  workers: WORKERS,
  forbidOnly: !!process.env.CI,
  reporter: [["list"]],
  snapshotPathTemplate: "{testDir}/baselines/{arg}{ext}",
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    launchOptions: launch,
    contextOptions: { reducedMotion: "reduce" }, // what moves without end is painted without end
    // A picture of the end costs nothing; a film of every test took two thirds of the time (`--trace on` makes one).
    screenshot: "only-on-failure",
  },
  webServer: Array.from({ length: WORKERS }, (_, worker) => server(worker)),
});
