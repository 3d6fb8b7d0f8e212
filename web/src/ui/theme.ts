// Light or dark: as the system has it, unless the user chose one here.
import { createStore, useStore } from "./store";
import { kept } from "./kept";

export type Theme = "light" | "dark";

const own = kept<Theme | "">("theme", "", (value) => value === "light" || value === "dark");
const system = matchMedia("(prefers-color-scheme: dark)");
const wanted = (): Theme => own.get() || (system.matches ? "dark" : "light");
const theme = createStore<Theme>(wanted());

/** Put the theme on the document; called before the first paint. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = wanted();
  theme.set(wanted());
}
system.addEventListener("change", applyTheme);

export function toggleTheme(): void {
  own.set(wanted() === "dark" ? "light" : "dark");
  applyTheme();
}

export const useTheme = (): Theme => useStore(theme);
