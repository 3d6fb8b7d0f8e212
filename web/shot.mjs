import { chromium } from "@playwright/test";
const [,, path, out, w="1440", h="900", theme="light", ...acts] = process.argv;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox","--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: +w, height: +h }, colorScheme: theme });
page.on("console", m => { if (m.type()==="error") console.log("console:", m.text().slice(0,400)); });
page.on("pageerror", e => console.log("error:", e.message.slice(0,600)));
await page.goto("http://127.0.0.1:8911" + path);
await page.waitForTimeout(4000);
for (const a of acts) { await page.evaluate(a).catch(e=>console.log(e.message)); await page.waitForTimeout(1500); }
await page.screenshot({ path: out });
await browser.close();
