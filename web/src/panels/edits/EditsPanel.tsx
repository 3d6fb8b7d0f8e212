// The list of edits and groups of them: add by name, group, undo and redo, drop a recipe's file. Rows are their own.
import { Group as GroupIcon, Plus, Redo2, Trash2, Undo2, X } from "lucide-react";
import { useRef, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { modelQuery } from "../../api/queries";
import { freeName, grouped, keyOf, newConcept } from "../../domain/concept";
import { parseEdit } from "../../domain/edit";
import { layerOf } from "../../domain/direction";
import { parseUnitName } from "../../domain/names";
import { addEdit, clearEdits, moveEdits, redoEdit, undoEdit, useUndo } from "../../run/edits";
import { useRecipeFile } from "../../run/useRecipeFile";
import { useTrace } from "../../run/useTrace";
import { useViewPart } from "../../run/view";
import { IconButton } from "../../ui/controls";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { ConceptRow } from "./ConceptRow";
import { EditRow } from "./EditRow";
import { SavedConcepts } from "./SavedConcepts";
import css from "./edits.module.css";

export function EditsPanel() {
  const edits = useViewPart("edits");
  const { data } = useTrace();
  const { canUndo, canRedo } = useUndo();
  const file = useRecipeFile();
  const picker = useRef<HTMLInputElement>(null);
  const tools = useRoving<HTMLHeadingElement>();
  const list = useRoving<HTMLUListElement>();
  const [over, setOver] = useState(false);
  const items = grouped(edits);
  const alone = items.filter((item) => typeof item === "number");
  return (
    <section
      className={css.edits}
      data-over={over}
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
      <h2 id="edits-title" className="section-title" ref={tools}>
        Edits <span className="grow" />
        <IconButton label="Undo" hint="Ctrl Z" rove className="small" disabled={!canUndo} onClick={undoEdit}>
          <Undo2 aria-hidden />
        </IconButton>
        <IconButton label="Redo" hint="Ctrl Shift Z" rove className="small" disabled={!canRedo} onClick={redoEdit}>
          <Redo2 aria-hidden />
        </IconButton>
        <IconButton
          label="Group the edits as a concept"
          rove
          className="small"
          disabled={alone.length === 0}
          onClick={() => moveEdits(alone, newConcept(freeName(edits, "concept")))}
        >
          <GroupIcon aria-hidden />
        </IconButton>
        <SavedConcepts
          onImport={() => {
            file.reset();
            picker.current?.click();
          }}
        />
        <IconButton label="Remove all edits" rove className="small" disabled={edits.length === 0} onClick={clearEdits}>
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
        <div className={css.fileError}>
          <ErrorNote failure={file.error} />
          <IconButton label="Dismiss" className="small" onClick={file.reset}>
            <X aria-hidden />
          </IconButton>
        </div>
      )}
      {edits.length === 0 ? (
        <Empty title="The model as it is">
          Press <b>off</b> on a unit, or write an edit such as <code className="mono">L12D345=on</code>. The page runs
          again by itself and compares.
        </Empty>
      ) : (
        <ul ref={list} className={css.list} aria-label="Edits">
          {items.map((item) => {
            if (typeof item !== "number") return <ConceptRow key={item.concept.name} group={item} />;
            const edit = edits[item];
            return edit && <EditRow key={keyOf(edits, item)} edit={edit} index={item} />;
          })}
        </ul>
      )}
      {data?.warnings?.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
    </section>
  );
}

/** A box that takes a unit's name or a whole edit, and says at once what is wrong with it. */
function AddEdit() {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const { data } = useQuery(modelQuery(true));
  const layers = data?.model.layers;
  const add = () => {
    const found = parseEdit(text);
    if ("error" in found) return setError(found.error);
    const layer = parseUnitName(found.ok.value)?.layer ?? layerOf(found.ok.value);
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
      <div className={css.add}>
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
        <p id="add-edit-error" className={css.error} role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
