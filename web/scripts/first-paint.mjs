// Prints the first contentful paint of a served page in milliseconds: the median of five visits. Used by `make bench`.
import { chromium } from "@playwright/test";

const executablePath = process.env.LM_DEBUGGER_CHROMIUM || undefined;
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });
const times = [];
for (let visit = 0; visit < 5; visit++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(process.argv[2], { waitUntil: "networkidle" });
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  times.push(paint);
  await context.close();
}
await browser.close();
console.log(times.sort((a, b) => a - b)[2]);
