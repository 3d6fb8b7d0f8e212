// The command palette: every action, any unit by its name, a search for words, the examples. One box, one list.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { examplesQuery } from "../api/queries";
import { canonicalName, isHead } from "../domain/names";
import { runPrompt } from "../run/draft";
import { exploreAddress, lastExploreAddress } from "../run/explore";
import { closeOverlay } from "../run/overlays";
import { getPlace, go } from "../run/place";
import { openUnit } from "../run/unit";
import { addressOf, getView } from "../run/view";
import { ACTIONS, EXPLORE_ACTIONS, possible } from "./actions";
import { useShown } from "./useShown";
import css from "./shell.module.css";

interface Entry {
  key: string;
  label: string;
  hint: string;
  keys?: readonly string[];
  perform: () => void;
}

export function Palette({ exploring }: { exploring: boolean }) {
  const shown = useShown();
  const examples = useQuery(examplesQuery()).data?.prompts;
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const entries = useMemo((): Entry[] => {
    const actions = possible(exploring ? EXPLORE_ACTIONS : ACTIONS, shown).map((action): Entry => ({
      ...{ key: action.name, label: action.name, hint: "", keys: action.keys },
      perform: () => action.perform(shown),
    }));
    const prompts = (examples ?? []).map((prompt): Entry => ({
      ...{ key: `run ${prompt}`, label: prompt, hint: "run this example" },
      perform: () => {
        if (getPlace().exploring) go(addressOf(getView()));
        runPrompt(prompt);
      },
    }));
    return [...written(text), ...matching([...actions, ...prompts], text)];
  }, [text, exploring, shown, examples]);
  const chosen = Math.min(at, entries.length - 1);
  const perform = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    closeOverlay();
    // The dialog gives the focus back first.
    setTimeout(entry.perform);
  };
  return (
    <dialog ref={dialog} className={css.palette} aria-label="Command palette" onClose={closeOverlay}>
      <input
        className="field"
        role="combobox"
        aria-label="An action, a unit such as L27D432 or L12H3, or words to search"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={entries[chosen] === undefined ? undefined : `palette-${chosen}`}
        placeholder="Action, L27D432, L12H3, words to search…"
        autoComplete="off"
        spellCheck={false}
        // The palette is opened to write in it.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined) {
            event.preventDefault();
            setAt((chosen + step + entries.length) % entries.length);
          }
          if (event.key === "Enter") {
            event.preventDefault();
            perform(entries[chosen]);
          }
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Commands">
        {entries.map((entry, index) => (
          // The box above has the focus, and its keys.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={entry.key}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            ref={index === chosen ? (item) => item?.scrollIntoView({ block: "nearest" }) : undefined}
            onMouseMove={() => setAt(index)}
            onClick={() => perform(entry)}
          >
            <span>{entry.label}</span>
            <small>{entry.hint}</small>
            {entry.keys?.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </li>
        ))}
        {entries.length === 0 && (
          <li role="option" aria-selected={false}>
            Nothing is called so
          </li>
        )}
      </ul>
    </dialog>
  );
}

/** What the text itself can mean: a unit, words to search for. */
function written(text: string): Entry[] {
  const unit = canonicalName(text);
  if (unit !== null) {
    const open = (): Entry => ({
      ...{ key: "open", label: `Open ${unit}`, hint: isHead(unit) ? "attention head" : "value vector" },
      perform: () => (getPlace().exploring || getView().prompt === "" ? go(lastExploreAddress(unit)) : openUnit(unit)),
    });
    const page = { key: "page", label: `The page of ${unit}`, hint: "words, neighbours, a trial" };
    return [open(), { ...page, perform: () => go(lastExploreAddress(unit)) }];
  }
  const words = text.trim();
  if (words === "") return [];
  return [
    {
      ...{ key: "search", label: `Search “${words}”`, hint: "vectors that promote it" },
      perform: () => go(exploreAddress({ q: words })),
    },
  ];
}

/** Entries that have every word of the text, those that begin with it first. */
export function matching<E extends { label: string }>(entries: readonly E[], text: string): E[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  const starts = ({ label }: E) => Number(label.toLowerCase().startsWith(text.toLowerCase()));
  return found.sort((a, b) => starts(b) - starts(a));
}
