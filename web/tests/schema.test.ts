// The wire types that the page is written against are those that the server in this checkout tells.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, it } from "vitest";

const web = join(import.meta.dirname, "..");

it("src/api/schema.ts is what the server says; if not: npm run types", { timeout: 120_000 }, () => {
  const path = [join(web, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const told = execFileSync("bash", ["scripts/types.sh"], {
    ...{ cwd: web, encoding: "utf-8", maxBuffer: 64 << 20, env: { ...process.env, PATH: path } },
  });
  expect(told.length).toBeGreaterThan(10_000);
  // Not with `toEqual`: thousands of lines side by side tell nobody what to do.
  expect(readFileSync(join(web, "src/api/schema.ts"), "utf-8") === told, "npm run types").toBe(true);
});
