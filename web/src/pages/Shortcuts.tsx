// The sheet of keyboard shortcuts, in the browser's own dialog.
import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { ACTIONS, EXPLORE_ACTIONS } from "./actions";
import css from "./shell.module.css";

interface Props {
  exploring: boolean;
  open: boolean;
  onClose: () => void;
}

export function Shortcuts({ exploring, open, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} className={css.sheet} aria-labelledby="shortcuts-title" onClose={onClose}>
      <div className={css.sheetHead}>
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        {/* No hint of its own: it would take the first Escape. */}
        <button type="button" className="button icon quiet" aria-label="Close" onClick={onClose}>
          <X aria-hidden />
        </button>
      </div>
      <dl>
        {!exploring && (
          <div>
            <dt>
              <kbd>Ctrl</kbd> <kbd>↵</kbd>
            </dt>
            <dd>Run the prompt (⌘ ↵ on a Mac)</dd>
          </div>
        )}
        {(exploring ? EXPLORE_ACTIONS : ACTIONS).map(({ name, keys }) =>
          keys.length === 0 ? null : (
            <div key={name}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{name}</dd>
            </div>
          ),
        )}
      </dl>
      {!exploring && (
        <p className="muted">
          Tab goes from group to group, arrow keys move inside one. A click on a token follows it through the layers; a
          click on a unit opens it, its “off” adds an edit.
        </p>
      )}
    </dialog>
  );
}
