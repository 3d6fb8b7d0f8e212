// The button between light and dark.
import { Moon, Sun } from "lucide-react";
import { IconButton } from "./controls";
import { toggleTheme, useTheme } from "./hooks";

export function ThemeToggle() {
  const theme = useTheme();
  return (
    <IconButton label={theme === "dark" ? "Light theme" : "Dark theme"} onClick={toggleTheme}>
      {theme === "dark" ? <Sun aria-hidden /> : <Moon aria-hidden />}
    </IconButton>
  );
}
