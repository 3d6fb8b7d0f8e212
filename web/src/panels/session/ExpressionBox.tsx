// A box for a watch or a condition: says at the character what is wrong with it, and how it may go on.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { checkQuery } from "../../api/sessions";
import { useDebounced } from "../../ui/hooks";
import { useViewPart } from "../../run/view";
import css from "./session.module.css";

interface Props {
  id?: string;
  label: string;
  placeholder: string;
  condition: boolean;
  onAdd: (expression: string) => void;
}

const WAIT = 120;
const SHOWN = 8;

export function ExpressionBox({ id, label, placeholder, condition, onAdd }: Props) {
  const client = useQueryClient();
  const list = useId();
  const value = useViewPart("value");
  const [text, setText] = useState("");
  const [cursor, setCursor] = useState(0);
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const asked = useDebounced(text, WAIT);
  const check = useQuery({
    ...checkQuery(asked, Math.min(cursor, asked.length), condition, value === "" ? [] : [value]),
    enabled: open,
  });
  const current = asked === text ? check.data : undefined;
  const suggestions = open ? (current?.suggestions ?? []).slice(0, SHOWN) : [];
  const fault = text !== "" && suggestions.length === 0 ? (current?.error ?? null) : null;
  const take = (index: number) => {
    const chosen = suggestions[index];
    if (chosen === undefined) return;
    const next = text.slice(0, chosen.start) + chosen.text + text.slice(cursor);
    const end = chosen.start + chosen.text.length;
    setText(next);
    setCursor(end);
    setAt(-1);
    requestAnimationFrame(() => field.current?.setSelectionRange(end, end));
  };
  const add = async () => {
    if (text.trim() === "") return;
    // Who is quick has not been answered yet.
    const units = value === "" ? [] : [value];
    const checked = await client.fetchQuery(checkQuery(text, text.length, condition, units)).catch(() => null);
    if (checked?.expression == null) return setOpen(true);
    onAdd(checked.expression);
    // What was written meanwhile is the next one.
    setText((now) => (now === text ? "" : now));
  };
  return (
    <div className={css.box}>
      <input
        ref={field}
        id={id}
        className="field mono"
        role="combobox"
        aria-label={label}
        aria-expanded={suggestions.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-invalid={fault !== null}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onChange={({ target }) => {
          setText(target.value);
          setCursor(target.selectionStart ?? target.value.length);
          setAt(-1);
        }}
        onSelect={({ currentTarget }) => setCursor(currentTarget.selectionStart ?? text.length)}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined && suggestions.length > 0) {
            event.preventDefault();
            setAt((at + step + suggestions.length) % suggestions.length);
          }
          if (event.key === "Tab" && suggestions.length > 0 && text !== "" && !event.shiftKey) {
            event.preventDefault();
            take(Math.max(at, 0));
          }
          if (event.key === "Enter") {
            event.preventDefault();
            if (at >= 0) take(at);
            else void add();
          }
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {suggestions.length > 0 && (
        <ul id={list} role="listbox" aria-label={`${label}: how it may go on`} className={css.suggestions}>
          {suggestions.map((suggestion, index) => (
            <li
              key={suggestion.text}
              role="option"
              aria-selected={index === at}
              // The box keeps the focus.
              onMouseDown={(event) => {
                event.preventDefault();
                take(index);
              }}
            >
              <b className="mono">{suggestion.text}</b> <span className="muted">{suggestion.meaning}</span>
            </li>
          ))}
        </ul>
      )}
      {fault !== null && (
        <p className={css.fault} role="alert">
          <span className="mono">
            {text.slice(0, fault.at)}
            <mark>{text.slice(fault.at, fault.at + 1) || "␣"}</mark>
            {text.slice(fault.at + 1)}
          </span>{" "}
          {fault.what} {fault.cure}
        </p>
      )}
    </div>
  );
}
