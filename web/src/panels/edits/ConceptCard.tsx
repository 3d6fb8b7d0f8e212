// A group of edits: switched, scaled, renamed, kept and exported together. Its edits are EditCards.
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, EllipsisVertical } from "lucide-react";
import { DropdownMenu as Menu, Slider } from "radix-ui";
import { useState } from "react";
import { modelQuery } from "../../api/queries";
import { recipesQuery, useSaveRecipe } from "../../api/recipes";
import { announce } from "../../ui/announce";
import { IconButton, Switch } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { short } from "../../domain/numbers";
import { useCurrentSession } from "../../run/context";
import { changeConcept, removeConcept, ungroup } from "../../run/edits";
import { conceptName, scaled, STRONGEST, type Group } from "../../domain/concept";
import { formatEdit } from "../../domain/edit";
import { EditCard } from "./EditCard";
import { fileName, recipeText } from "../../domain/recipe";
import { STEP } from "../../domain/units";

/** Groups of more edits than this are shown closed at first. */
const OPEN = 4;

export function ConceptCard({ group }: { group: Group }) {
  const { view } = useCurrentSession();
  const { name, strength, enabled } = group.concept;
  const [open, setOpen] = useState(group.places.length <= OPEN);
  const save = useSaveRecipe();
  const members = group.places.flatMap((place) => view.edits[place] ?? []);
  const count = members.length === 1 ? "1 edit" : `${members.length} edits`;
  const fixed = strength === 1 ? [] : members.filter(({ operation }) => operation === "layermax");
  return (
    <li>
      <div className={enabled ? "concept" : "concept disabled"} role="group" aria-label={`Concept ${name}`}>
        <div className="edit-head">
          <IconButton
            label={open ? `Hide the edits of ${name}` : `Show the edits of ${name}`}
            className="small"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? <ChevronDown aria-hidden /> : <ChevronRight aria-hidden />}
          </IconButton>
          <Switch
            label={`${name} in force`}
            checked={enabled}
            onCheckedChange={(next) => changeConcept(name, { enabled: next })}
          />
          <ConceptName key={name} name={name} />
          <ConceptMenu group={group} save={save} />
        </div>
        {save.error && <ErrorNote failure={save.error} />}
        <div className="edit-row">
          <Slider.Root
            className="slider"
            min={0}
            max={STRONGEST}
            step={STEP}
            value={[strength]}
            onValueChange={([next = 1]) =>
              changeConcept(name, { strength: Number(next.toFixed(2)) }, `concept ${name}`)
            }
          >
            <Slider.Track className="slider-track rising">
              <i style={{ left: `${100 / STRONGEST}%` }} />
            </Slider.Track>
            <Slider.Thumb
              className="slider-thumb"
              aria-label={`Strength of ${name}`}
              aria-valuetext={`${short(strength)} times its edits`}
            />
          </Slider.Root>
          <span className="mono muted edit-amount" title="All edits of the concept are scaled by this">
            ×{short(strength)}
          </span>
        </div>
        <p className="concept-note">
          {count}
          {fixed.length > 0 && `; ${fixed.map(formatEdit).join(", ")} cannot be scaled`}
        </p>
        {open && (
          <ul className="edit-list">
            {group.places.map((place) => {
              const edit = view.edits[place];
              return edit && <EditCard key={`${edit.value} ${place}`} edit={edit} index={place} />;
            })}
          </ul>
        )}
      </div>
    </li>
  );
}

function ConceptName({ name }: { name: string }) {
  const { view } = useCurrentSession();
  const [text, setText] = useState(name);
  const wanted = conceptName(text);
  const taken = wanted !== name && view.edits.some(({ concept }) => concept?.name === wanted);
  const save = () => {
    if (wanted === "" || taken) setText(name);
    else if (wanted !== name) changeConcept(name, { name: wanted });
  };
  return (
    <input
      className="concept-name"
      aria-label={`Name of the concept ${name}`}
      aria-invalid={taken}
      title={taken ? "Another concept has this name" : text}
      spellCheck={false}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === "Enter") save();
        if (event.key === "Escape") setText(name);
      }}
    />
  );
}

/** What is kept and exported is what is in force: the edits that are on, at the group's strength. */
function ConceptMenu({ group, save }: { group: Group; save: ReturnType<typeof useSaveRecipe> }) {
  const { view } = useCurrentSession();
  const { name, strength } = group.concept;
  const { data } = useQuery(modelQuery(true));
  const saved = useQuery(recipesQuery());
  const edits = group.places
    .flatMap((place) => view.edits[place] ?? [])
    .filter((edit) => edit.enabled)
    .map((edit) => scaled(edit, strength));
  const before = saved.data?.recipes.find((recipe) => recipe.name === name);
  const keep = () =>
    save.mutate(
      { id: before?.id, name, note: before?.note ?? "", interventions: edits.map(formatEdit) },
      { onSuccess: () => announce(`Saved “${name}”`) },
    );
  const download = () => {
    if (data === undefined) return;
    const url = URL.createObjectURL(new Blob([recipeText(name, edits, data.model)], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = fileName(name);
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger asChild>
        <button type="button" className="button icon quiet small" aria-label={`More for ${name}`}>
          <EllipsisVertical aria-hidden />
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
          <Menu.Item className="menu-item" disabled={edits.length === 0 || save.isPending} onSelect={keep}>
            {before === undefined ? "Save on the server" : "Save in place of the saved one"}
          </Menu.Item>
          <Menu.Item className="menu-item" disabled={edits.length === 0 || data === undefined} onSelect={download}>
            Export as a file
          </Menu.Item>
          <Menu.Item className="menu-item" onSelect={() => ungroup(name)}>
            Ungroup
          </Menu.Item>
          <Menu.Item className="menu-item" onSelect={() => removeConcept(name)}>
            Remove with its edits
          </Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
