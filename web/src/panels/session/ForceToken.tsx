// Another token instead of the last one: one of those that were probable there.
import { ChevronDown } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import type { SessionView } from "../../api/types";
import { percent } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";

interface Props {
  session: SessionView;
  disabled: boolean;
  onForce: (id: number) => void;
}

export function ForceToken({ session, disabled, onForce }: Props) {
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger asChild>
        <button
          type="button"
          className="button small"
          data-rove
          tabIndex={-1}
          disabled={disabled || session.prediction.length === 0}
          title="Have another token than the last one, and go on from there"
        >
          Force token
          <ChevronDown aria-hidden />
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
          <Menu.Label className="menu-label">Instead of the last token</Menu.Label>
          {session.prediction.map(({ id, text, probability }) => (
            <Menu.Item key={id} className="menu-item" onSelect={() => onForce(id)}>
              <TokenText text={text} /> <span className="muted">{percent(probability)}</span>
            </Menu.Item>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
