// The end of the bar: the palette of all actions, and a menu of the few that belong to no panel.
import { Command, Ellipsis } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import { copyLink } from "../../run/share";
import { showPalette, showSheet } from "../../run/overlays";
import { useRoving } from "../../ui/roving";
import { toggleTheme, useTheme } from "../../ui/theme";
import css from "./bar.module.css";

export function MoreMenu({ command }: { command: string }) {
  const theme = useTheme();
  const group = useRoving<HTMLDivElement>();
  return (
    <div className={css.topTools} ref={group}>
      <button
        type="button"
        className="button quiet"
        data-rove
        tabIndex={-1}
        aria-label="Command palette"
        title={`Every action, unit and example (${command} K)`}
        aria-keyshortcuts="Control+K Meta+K"
        onClick={showPalette}
      >
        <Command aria-hidden />
        <kbd>K</kbd>
      </button>
      <Menu.Root modal={false}>
        <Menu.Trigger asChild>
          <button type="button" className="button icon quiet" data-rove tabIndex={-1} aria-label="More">
            <Ellipsis aria-hidden />
          </button>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
            <Menu.Item className="menu-item" onSelect={copyLink}>
              Copy a link to this view
            </Menu.Item>
            <Menu.Item className="menu-item" onSelect={toggleTheme}>
              {theme === "dark" ? "Light theme" : "Dark theme"}
            </Menu.Item>
            <Menu.Item className="menu-item" onSelect={showSheet}>
              Keyboard shortcuts
            </Menu.Item>
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </div>
  );
}
