// The rooms of the page and their folders know each other in one direction only: eslint checks the rooms, this the rest.
import { expect, it } from "vitest";

const sources = import.meta.glob<string>(["./**/*.{ts,tsx}", "!./**/*.test.*"], {
  ...{ query: "?raw", import: "default", eager: true },
});

const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");

/** A relative import as a path from here. */
function resolved(file: string, target: string): string {
  const path = folderOf(file).split("/");
  for (const part of target.split("/")) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  return path.join("/");
}

/** Which folders each folder imports from, types aside. */
function folders(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [file, text] of Object.entries(sources)) {
    for (const [, target = ""] of text.matchAll(/^(?:import (?!type )[^;]*?from |import )"(\.[^"]+)"/gms)) {
      const [from, to] = [folderOf(file), folderOf(resolved(file, target))];
      if (from !== to) found.set(from, (found.get(from) ?? new Set()).add(to));
    }
  }
  return found;
}

it("has no circle of folders", () => {
  const uses = folders();
  const circles: string[] = [];
  const visit = (folder: string, path: readonly string[]) => {
    if (path.includes(folder)) circles.push([...path.slice(path.indexOf(folder)), folder].join(" → "));
    else for (const next of uses.get(folder) ?? []) visit(next, [...path, folder]);
  };
  for (const folder of uses.keys()) visit(folder, []);
  expect([...new Set(circles)]).toEqual([]);
  expect(uses.size).toBeGreaterThan(8);
});
