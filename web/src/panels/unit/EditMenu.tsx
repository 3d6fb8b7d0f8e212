// The one way to make a unit an edit from wherever it is shown: a click switches it off, the menu has the rest.
import { ChevronDown, Plus } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import type { Edit } from "../../domain/edit";
import { isHead } from "../../domain/names";
import { addEdit } from "../../run/edits";
import css from "./unit.module.css";

type Change = Pick<Edit, "operation" | "amount">;

const OFF: Change = { operation: "off", amount: null };
const CHOICES: readonly [string, Change][] = [
  ["off", OFF],
  ["half", { operation: "*=", amount: 0.5 }],
  ["double", { operation: "*=", amount: 2 }],
];
const OF_VALUES: readonly [string, Change][] = [
  ["on", { operation: "on", amount: null }],
  ["on−", { operation: "on-", amount: null }],
];

interface Props {
  unit: string;
  name?: string | undefined;
  /** Whether the first click is in a row of others: shown when pointed at. */
  quiet?: boolean;
  /** Where tab stops are few: reached by arrow keys. */
  roving?: boolean;
}

export function EditMenu({ unit, name, quiet = false, roving = false }: Props) {
  const add = (change: Change) => addEdit({ value: unit, scope: "all", ...change });
  const rove = roving ? { "data-rove": true, tabIndex: -1 } : {};
  return (
    <span className={quiet ? `${css.editMenu} ${css.quiet}` : css.editMenu}>
      <button
        type="button"
        className="button small"
        aria-label={`Switch ${name ?? unit} off`}
        title="Add an edit: switch it off"
        onClick={() => add(OFF)}
        {...rove}
      >
        <Plus aria-hidden />
        off
      </button>
      <Menu.Root modal={false}>
        <Menu.Trigger asChild>
          <button type="button" className="button small icon" aria-label={`Edit ${name ?? unit}`} {...rove}>
            <ChevronDown aria-hidden />
          </button>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
            {[...CHOICES, ...(isHead(unit) ? [] : OF_VALUES)].map(([label, change]) => (
              <Menu.Item key={label} className="menu-item" onSelect={() => add(change)}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </span>
  );
}
