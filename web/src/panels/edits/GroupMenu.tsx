// Puts an edit into a concept, a new one or one that is there, and takes it out again.
import { Group as GroupIcon } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import { useViewPart } from "../../run/view";
import { moveEdits } from "../../run/edits";
import { freeName, grouped, newConcept } from "../../domain/concept";
import type { ListedEdit } from "../../domain/edit";

export function GroupMenu({ edit, index }: { edit: ListedEdit; index: number }) {
  const edits = useViewPart("edits");
  const others = grouped(edits).flatMap((item) =>
    typeof item === "number" || item.concept.name === edit.concept?.name ? [] : [item.concept],
  );
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger asChild>
        <button type="button" className="button icon quiet small" aria-label={`Concept of ${edit.value}`}>
          <GroupIcon aria-hidden />
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
          <Menu.Item className="menu-item" onSelect={() => moveEdits([index], newConcept(freeName(edits, "concept")))}>
            Into a new concept
          </Menu.Item>
          {others.map((concept) => (
            <Menu.Item key={concept.name} className="menu-item" onSelect={() => moveEdits([index], concept)}>
              Into “{concept.name}”
            </Menu.Item>
          ))}
          {edit.concept !== undefined && (
            <Menu.Item className="menu-item" onSelect={() => moveEdits([index], undefined)}>
              Out of “{edit.concept.name}”
            </Menu.Item>
          )}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
