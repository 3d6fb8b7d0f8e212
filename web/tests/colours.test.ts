// Every colour variable that a style or the code names is a colour, in both themes. `--green` once was not.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../src");
const files = readdirSync(root, { recursive: true, encoding: "utf-8" }).filter((name) => !name.includes(".test."));
const read = (name: string): string => readFileSync(join(root, name), "utf-8");

/** The variables that a block of tokens.css sets. */
function block(selector: string): Map<string, string> {
  const text = read("ui/tokens.css");
  const start = text.indexOf(`${selector} {`);
  const body = text.slice(start, text.indexOf("}", start));
  return new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = "", value = ""]) => [name, value]));
}

const light = block(":root");
const dark = new Map([...light, ...block(':root[data-theme="dark"]')]);
const everything = files
  .filter((name) => /\.(css|tsx?)$/.test(name))
  .map(read)
  .join("\n");

/** Names used as `rgb(var(--x) / …)`: three numbers; all others are used as they are. */
const channels = new Set([...everything.matchAll(/rgb\(\s*var\((--[\w-]+)\)/g)].map(([, name = ""]) => name));
for (const name of ["--heat", "--entropy", "--heat-up", "--heat-down"]) channels.add(name); // painted on the map's canvas
const used = new Set([...everything.matchAll(/var\((--[\w-]+)\)/g)].map(([, name = ""]) => name));

const OWN = new Set(["--follow", "--radix-popover-content-available-height"]);
const COLOUR = /^(#[0-9a-f]{6}|rgb\([^)]*\))$/;
const CHANNELS = /^\d{1,3} \d{1,3} \d{1,3}$/;
const OTHER = /^--(sans|mono|radius|shadow|text-\d)$/;

describe.each([
  ["light", light],
  ["dark", dark],
])("in the %s theme", (_, theme) => {
  it("every variable that is used is set", () => {
    expect([...used].filter((name) => !theme.has(name) && !OWN.has(name) && !name.endsWith("-"))).toEqual([]);
  });

  it("every colour is one, of the kind that it is used as", () => {
    const wrong = [...theme].filter(
      ([name, value]) => !OTHER.test(name) && !(channels.has(name) ? CHANNELS : COLOUR).test(value),
    );
    expect(wrong).toEqual([]);
  });

  it("has a colour for each followed token", () => {
    for (let index = 0; index < 8; index++) expect(theme.get(`--follow-${index}`)).toMatch(COLOUR);
  });
});
