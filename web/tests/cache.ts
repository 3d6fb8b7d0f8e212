// A cache folder for a server under test: it shares what is costly with the user's own, and changes nothing else there.
import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const OWN =
  process.env.LM_DEBUGGER_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "lm-debugger");

/** A new folder in which these kinds of files are the user's own, fetched and measured there if they are missing. */
export function cacheWith(...kinds: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "lm-debugger-cache-"));
  for (const kind of kinds) {
    mkdirSync(join(OWN, kind), { recursive: true });
    symlinkSync(join(OWN, kind), join(folder, kind));
  }
  return folder;
}
