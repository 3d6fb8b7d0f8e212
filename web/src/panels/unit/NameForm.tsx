// The user's name and note for a vector, saved on the server for everybody who uses it.
import { useState } from "react";
import { useRename } from "../../api/queries";
import type { NamedValue } from "../../api/types";
import { ErrorNote } from "../../ui/notes";
import css from "./unit.module.css";

export function NameForm({ data }: { data: NamedValue }) {
  const saved = { name: data.name ?? "", note: data.note ?? "" };
  const [name, setName] = useState(saved.name);
  const [note, setNote] = useState(saved.note);
  const rename = useRename();
  const changed = name.trim() !== saved.name || note.trim() !== saved.note;
  const save = () => rename.mutate({ value: data.value, name: name.trim(), note: note.trim() });
  return (
    <form
      className={css.nameForm}
      onSubmit={(event) => {
        event.preventDefault();
        if (changed) save();
      }}
    >
      <input
        className="field"
        aria-label="Name of this vector"
        placeholder="Name this vector"
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <textarea
        className="field"
        aria-label="Note about this vector"
        placeholder="Note: what it does, where you saw it"
        rows={note.includes("\n") || note.length > 40 ? 3 : 1}
        maxLength={10_000}
        value={note}
        onChange={(event) => setNote(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && changed) save();
        }}
      />
      {changed && (
        <button type="submit" className="button small primary" disabled={rename.isPending}>
          {rename.isPending ? "Saving…" : "Save"}
        </button>
      )}
      {rename.error && <ErrorNote failure={rename.error} />}
    </form>
  );
}
