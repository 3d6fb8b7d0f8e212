// Prints how large the page's script and style are, compressed, and fails above the limit. Fonts are compressed already.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 300_000;
const folder = new URL("../../src/lm_debugger/server/static/", import.meta.url);
let total = 0;
for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!name.isFile() || !/\.(js|css|html)$/.test(name.name)) continue;
  total += gzipSync(readFileSync(`${name.parentPath}/${name.name}`)).length;
}
console.log(`Bundle: ${Math.round(total / 1000)} kB gzip (limit ${LIMIT / 1000} kB)`);
if (total > LIMIT) process.exit(1);
