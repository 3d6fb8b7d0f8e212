// The list of edits: add by name, undo and redo. Each card is EditCard's.
import { Plus, Redo2, Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { modelQuery } from "../../api/queries";
import { IconButton } from "../../ui/controls";
import { Empty, Warning } from "../../ui/notes";
import { useCurrentSession } from "../session/context";
import { addEdit, clearEdits, redoEdit, undoEdit, useUndo } from "./actions";
import { parseEdit, parseValueName } from "./edit";
import { EditCard } from "./EditCard";
import "./edits.css";

export function EditsPanel() {
  const { view, trace } = useCurrentSession();
  const { canUndo, canRedo } = useUndo();
  return (
    <section className="edits" aria-labelledby="edits-title">
      <h2 id="edits-title" className="section-title">
        Edits <span className="grow" />
        <IconButton label="Undo" hint="Ctrl Z" className="small" disabled={!canUndo} onClick={undoEdit}>
          <Undo2 aria-hidden />
        </IconButton>
        <IconButton label="Redo" hint="Ctrl Shift Z" className="small" disabled={!canRedo} onClick={redoEdit}>
          <Redo2 aria-hidden />
        </IconButton>
        <IconButton label="Remove all edits" className="small" disabled={view.edits.length === 0} onClick={clearEdits}>
          <Trash2 aria-hidden />
        </IconButton>
      </h2>
      <AddEdit />
      {view.edits.length === 0 ? (
        <Empty title="The model as it is">
          Press + on a sub-update, or write an edit such as <code className="mono">L12D345=on</code>. The page runs
          again by itself and compares.
        </Empty>
      ) : (
        <ul className="edit-list">
          {view.edits.map((edit, index) => (
            <EditCard key={`${edit.value} ${index}`} edit={edit} index={index} />
          ))}
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
