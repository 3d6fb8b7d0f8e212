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

export const port = Number(process.env.LM_DEBUGGER_E2E_PORT ?? 8797);
export const command = process.env.LM_DEBUGGER_COMMAND ?? "../.venv/bin/lm-debugger";
