// One run of the tree with what came from it: what it is called, how it differs from where it came from, what it gave.
import { Bookmark, BookmarkX, Diff, Pencil, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { IconButton } from "../../ui/controls";
import { percent } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import type { Changes } from "../../domain/changes";
import { RunComparison } from "./RunComparison";
import type { RunNode } from "../../domain/tree";
import type { RunActions } from "../../run/useRunActions";

interface RunItemProps {
  node: RunNode;
  current: string | null;
  compared: string | null;
  onCompare: (key: string) => void;
  actions: RunActions;
}

export function RunItem({ node, current, compared, onCompare, actions }: RunItemProps) {
  const [naming, setNaming] = useState(false);
  const shown = node.key === current;
  const said = node.title || [node.prompt, ...node.interventions].join(" ");
  return (
    <li>
      <div className={shown ? "run shown" : "run"}>
        {naming ? (
          <TitleForm
            title={node.title}
            onDone={(title) => {
              setNaming(false);
              if (title !== null && title !== node.title) actions.retitle(node, title);
            }}
          />
        ) : (
          <>
            <button
              type="button"
              className="run-open"
              title={node.prompt}
              aria-current={shown ? "true" : undefined}
              onClick={() => actions.open(node)}
            >
              {node.saved !== null && <Bookmark aria-label="saved" />}
              <span className="run-text">
                <Description node={node} />
              </span>
              {node.best && (
                <small className="run-best" title={`Most probable next token: ${visible(node.best.text)}`}>
                  <TokenText text={node.best.text} /> {percent(node.best.probability)}
                </small>
              )}
            </button>
            <span className="run-tools">
              {!shown && (
                <IconButton
                  label={`Compare with the run ${said}`}
                  className="small"
                  aria-pressed={compared === node.key}
                  onClick={() => onCompare(node.key)}
                >
                  <Diff aria-hidden />
                </IconButton>
              )}
              <IconButton label={`Title of the run ${said}`} className="small" onClick={() => setNaming(true)}>
                <Pencil aria-hidden />
              </IconButton>
              {node.saved === null ? (
                <IconButton label={`Save the run ${said}`} className="small" onClick={() => actions.save(node)}>
                  <Bookmark aria-hidden />
                </IconButton>
              ) : (
                <IconButton
                  label={`Save the run ${said} no longer`}
                  className="small"
                  onClick={() => actions.unsave(node)}
                >
                  <BookmarkX aria-hidden />
                </IconButton>
              )}
              <IconButton label={`Forget the run ${said}`} className="small" onClick={() => actions.remove(node)}>
                <X aria-hidden />
              </IconButton>
            </span>
          </>
        )}
      </div>
      {compared === node.key && !shown && <RunComparison node={node} />}
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child) => (
            <RunItem key={child.key} {...{ node: child, current, compared, onCompare, actions }} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** A beginning tells its prompt and edits, what came from another only what is different. */
function Description({ node }: { node: RunNode }) {
  const { title, prompt, interventions, changes } = node;
  const edits =
    changes === null ? (
      interventions.length > 0 && <small className="mono">{interventions.join(" ")}</small>
    ) : (
      <ChangedEdits changes={changes} />
    );
  if (title !== "" || changes === null || changes.prompt) {
    return (
      <>
        {title || prompt}
        {changes?.prompt && title !== "" && <small>another prompt</small>}
        {edits}
      </>
    );
  }
  return edits;
}

function ChangedEdits({ changes: { added, removed, changed } }: { changes: Changes }) {
  if (added.length + removed.length + changed.length === 0) return null;
  return (
    <small className="mono run-changes">
      {added.map((edit) => (
        <span key={`+${edit}`} className="plus">
          + {edit}
        </span>
      ))}
      {removed.map((edit) => (
        <span key={`-${edit}`} className="minus">
          − {edit}
        </span>
      ))}
      {changed.map(([before, now]) => (
        <span key={now}>
          {now} <span className="muted">was {before}</span>
        </span>
      ))}
    </small>
  );
}

function TitleForm({ title, onDone }: { title: string; onDone: (title: string | null) => void }) {
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      className="run-title"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(text.trim());
      }}
    >
      <input
        className="field"
        aria-label="Title of this run"
        placeholder="Title"
        maxLength={200}
        value={text}
        ref={field}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => onDone(text.trim())}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone(null);
        }}
      />
    </form>
  );
}
