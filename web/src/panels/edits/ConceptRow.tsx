// A group of edits as a row: switched, scaled, renamed, kept and exported together. Opened it shows its edits.
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, EllipsisVertical } from "lucide-react";
import { DropdownMenu as Menu, Slider } from "radix-ui";
import { useState } from "react";
import { modelQuery } from "../../api/queries";
import { recipesQuery, useSaveRecipe } from "../../api/recipes";
import { conceptName, keyOf, scaled, STRONGEST, type Group } from "../../domain/concept";
import { formatEdit } from "../../domain/edit";
import { short } from "../../domain/numbers";
import { fileName, recipeText } from "../../domain/recipe";
import { STEP } from "../../domain/units";
import { changeConcept, removeConcept, ungroup } from "../../run/edits";
import { useViewPart } from "../../run/view";
import { announce } from "../../ui/announce";
import { Switch } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { EditRow } from "./EditRow";
import css from "./edits.module.css";

/** Groups of more edits than this are shown closed at first. */
const OPEN = 4;

export function ConceptRow({ group }: { group: Group }) {
  const edits = useViewPart("edits");
  const { name, strength, enabled } = group.concept;
  const [open, setOpen] = useState(group.places.length <= OPEN);
  const save = useSaveRecipe();
  const members = group.places.flatMap((place) => edits[place] ?? []);
  const count = members.length === 1 ? "1 edit" : `${members.length} edits`;
  const fixed = strength === 1 ? [] : members.filter(({ operation }) => operation === "layermax");
  return (
    <li>
      <div className={css.concept} data-off={!enabled} role="group" aria-label={`Concept ${name}`}>
        <div className={css.row}>
          <button
            type="button"
            className={css.expand}
            data-rove
            tabIndex={-1}
            aria-label={open ? `Hide the edits of ${name}` : `Show the edits of ${name}`}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? <ChevronDown aria-hidden /> : <ChevronRight aria-hidden />}
          </button>
          <Switch
            label={`${name} in force`}
            checked={enabled}
            data-rove
            tabIndex={-1}
            onCheckedChange={(next) => changeConcept(name, { enabled: next })}
          />
          <ConceptName key={name} name={name} />
          <span className={css.count} title={count}>
            {members.length}
            <span className="hidden"> {count}</span>
          </span>
          <Slider.Root
            className={css.slider}
            min={0}
            max={STRONGEST}
            step={STEP}
            value={[strength]}
            onValueChange={([next = 1]) =>
              changeConcept(name, { strength: Number(next.toFixed(2)) }, `concept ${name}`)
            }
          >
            <Slider.Track className={`${css.track} ${css.rising}`}>
              <i style={{ left: `${100 / STRONGEST}%` }} />
            </Slider.Track>
            <Slider.Thumb
              className={css.thumb}
              tabIndex={-1}
              aria-label={`Strength of ${name}`}
              aria-valuetext={`${short(strength)} times its edits`}
            />
          </Slider.Root>
          <span className={`mono muted ${css.amount}`} title="All edits of the concept are scaled by this">
            ×{short(strength)}
          </span>
          <ConceptMenu group={group} save={save} />
        </div>
        {save.error && <ErrorNote failure={save.error} />}
        {fixed.length > 0 && <p className={css.note}>{fixed.map(formatEdit).join(", ")} cannot be scaled</p>}
        {open && (
          <ul className={css.members}>
            {group.places.map((place) => {
              const edit = edits[place];
              return edit && <EditRow key={keyOf(edits, place)} edit={edit} index={place} />;
            })}
          </ul>
        )}
      </div>
    </li>
  );
}

function ConceptName({ name }: { name: string }) {
  const edits = useViewPart("edits");
  const [text, setText] = useState(name);
  const wanted = conceptName(text);
  const taken = wanted !== name && edits.some(({ concept }) => concept?.name === wanted);
  const save = () => {
    if (wanted === "" || taken) setText(name);
    else if (wanted !== name) changeConcept(name, { name: wanted });
  };
  return (
    <input
      className={css.conceptName}
      data-rove
      tabIndex={-1}
      aria-label={`Name of the concept ${name}`}
      aria-invalid={taken}
      title={taken ? "Another concept has this name" : text}
      spellCheck={false}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key.startsWith("Arrow")) event.stopPropagation();
        if (event.key === "Enter") save();
        if (event.key === "Escape") setText(name);
      }}
    />
  );
}

/** What is kept and exported is what is in force: the edits that are on, at the group's strength. */
function ConceptMenu({ group, save }: { group: Group; save: ReturnType<typeof useSaveRecipe> }) {
  const all = useViewPart("edits");
  const { name, strength } = group.concept;
  const { data } = useQuery(modelQuery(true));
  const saved = useQuery(recipesQuery());
  const edits = group.places
    .flatMap((place) => all[place] ?? [])
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
        <button type="button" className={css.expand} data-rove tabIndex={-1} aria-label={`More for ${name}`}>
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
