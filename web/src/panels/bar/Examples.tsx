// The menu of example prompts.
import { useQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import { examplesQuery } from "../../api/queries";

export function Examples({ onChoose }: { onChoose: (prompt: string) => void }) {
  const { data } = useQuery(examplesQuery());
  const prompts = data?.prompts ?? [];
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger asChild>
        <button
          type="button"
          className="button icon quiet"
          aria-label="Examples"
          title="Examples"
          disabled={prompts.length === 0}
        >
          <ChevronDown aria-hidden />
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="popover menu" align="end" sideOffset={6} collisionPadding={8}>
          {prompts.map((prompt) => (
            <Menu.Item key={prompt} className="menu-item" onSelect={() => onChoose(prompt)}>
              {prompt}
            </Menu.Item>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
