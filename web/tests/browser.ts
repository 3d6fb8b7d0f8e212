// Which browser the tests drive: Playwright's own, or the one that LM_DEBUGGER_CHROMIUM names.
import type { LaunchOptions } from "@playwright/test";

const executablePath = process.env.LM_DEBUGGER_CHROMIUM;
const root = process.getuid?.() === 0;

export const launch: LaunchOptions = {
  ...(executablePath ? { executablePath } : {}),
  args: [
    ...(root ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** Each worker has a server of its own, with ports of its own up to the next one's. */
export const portOf = (worker: number): number => Number(process.env.LM_DEBUGGER_E2E_PORT ?? 8797) + 10 * worker;
const worker = Number(process.env.TEST_PARALLEL_INDEX ?? 0);
export const port = portOf(worker);
/** The folder of the worker's server. */
export const folder = (): string => process.env[`LM_DEBUGGER_E2E_FOLDER_${worker}`] ?? ".";
export const command = process.env.LM_DEBUGGER_COMMAND ?? "../.venv/bin/lm-debugger";
