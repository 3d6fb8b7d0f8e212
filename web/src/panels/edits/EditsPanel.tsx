// The list of edits and groups of them: add by name, group, undo and redo, drop a recipe's file. Cards are their own.
import { Group as GroupIcon, Plus, Redo2, Trash2, Undo2, X } from "lucide-react";
import { useRef, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { modelQuery } from "../../api/queries";
import { IconButton } from "../../ui/controls";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { useCurrentSession } from "../../run/context";
import { addEdit, clearEdits, moveEdits, redoEdit, undoEdit, useUndo } from "../../run/edits";
import { freeName, grouped, newConcept } from "../../domain/concept";
import { ConceptCard } from "./ConceptCard";
import { parseEdit, parseValueName } from "../../domain/edit";
import { EditCard } from "./EditCard";
import { SavedConcepts } from "./SavedConcepts";
import { useRecipeFile } from "../../run/useRecipeFile";
import "./edits.css";

export function EditsPanel() {
  const { view, trace } = useCurrentSession();
  const { canUndo, canRedo } = useUndo();
  const file = useRecipeFile();
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const items = grouped(view.edits);
  const alone = items.filter((item) => typeof item === "number");
  return (
    <section
      className={over ? "edits over" : "edits"}
      aria-labelledby="edits-title"
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        file.take(event.dataTransfer.files[0]);
      }}
    >
      <h2 id="edits-title" className="section-title">
        Edits <span className="grow" />
        <IconButton label="Undo" hint="Ctrl Z" className="small" disabled={!canUndo} onClick={undoEdit}>
          <Undo2 aria-hidden />
        </IconButton>
        <IconButton label="Redo" hint="Ctrl Shift Z" className="small" disabled={!canRedo} onClick={redoEdit}>
          <Redo2 aria-hidden />
        </IconButton>
        <IconButton
          label="Group the edits as a concept"
          className="small"
          disabled={alone.length === 0}
          onClick={() => moveEdits(alone, newConcept(freeName(view.edits, "concept")))}
        >
          <GroupIcon aria-hidden />
        </IconButton>
        <SavedConcepts
          onImport={() => {
            file.reset();
            picker.current?.click();
          }}
        />
        <IconButton label="Remove all edits" className="small" disabled={view.edits.length === 0} onClick={clearEdits}>
          <Trash2 aria-hidden />
        </IconButton>
      </h2>
      <input
        ref={picker}
        type="file"
        hidden
        aria-label="Recipe file"
        accept=".txt,.recipe,text/plain"
        onChange={({ target }) => {
          file.take(target.files?.[0]);
          target.value = ""; // the same file can be chosen again
        }}
      />
      <AddEdit />
      {file.error && (
        <div className="file-error">
          <ErrorNote failure={file.error} />
          <IconButton label="Dismiss" className="small" onClick={file.reset}>
            <X aria-hidden />
          </IconButton>
        </div>
      )}
      {view.edits.length === 0 ? (
        <Empty title="The model as it is">
          Press + on a sub-update, or write an edit such as <code className="mono">L12D345=on</code>. The page runs
          again by itself and compares.
        </Empty>
      ) : (
        <ul className="edit-list">
          {items.map((item) => {
            if (typeof item !== "number") return <ConceptCard key={item.concept.name} group={item} />;
            const edit = view.edits[item];
            return edit && <EditCard key={`${edit.value} ${item}`} edit={edit} index={item} />;
          })}
        </ul>
      )}
      {trace.data?.warnings?.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
    </section>
  );
}

/** A box that takes a value vector's name or a whole edit, and says at once what is wrong with it. */
function AddEdit() {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const { data } = useQuery(modelQuery(true));
  const layers = data?.model.layers;
  const add = () => {
    const found = parseEdit(text);
    if ("error" in found) return setError(found.error);
    const layer = parseValueName(found.ok.value)?.layer ?? 0;
    if (layers !== undefined && layer >= layers) {
      return setError(`There is no layer ${layer}: the last one is ${layers - 1}.`);
    }
    addEdit(found.ok);
    setText("");
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <div className="add-edit">
        <input
          id="add-edit"
          className="field mono"
          aria-label="Add an edit"
          aria-invalid={error !== ""}
          aria-describedby={error === "" ? undefined : "add-edit-error"}
          placeholder="L12D345=off"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setError("");
          }}
        />
        <button type="submit" className="button icon" aria-label="Add" disabled={text.trim() === ""}>
          <Plus aria-hidden />
        </button>
      </div>
      {error !== "" && (
        <p id="add-edit-error" className="field-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
