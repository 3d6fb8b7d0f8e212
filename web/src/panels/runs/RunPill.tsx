// One run on the time line: what it is called, how it differs from where it came from, what it gave. Dragged onto A or B,
// or handled from its menu.
import { Bookmark, EllipsisVertical } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import { useEffect, useRef, useState } from "react";
import type { Changes } from "../../domain/changes";
import { percent } from "../../domain/numbers";
import type { Placed } from "../../domain/timeline";
import { visible } from "../../domain/visible";
import { setA, setBase } from "../../run/against";
import type { RunActions } from "../../run/useRunActions";
import { TokenText } from "../../ui/TokenText";
import { startDrag } from "./drag";
import css from "./runs.module.css";

interface Props {
  placed: Placed;
  shown: boolean;
  /** Whether it is what B is compared with. */
  isA: boolean;
  actions: RunActions;
}

const saidOf = ({ node }: Placed): string => node.title || [node.prompt, ...node.interventions].join(" ");

export function RunDot({ placed, shown, isA, actions }: Props) {
  const { node } = placed;
  const best = node.best === null ? "" : `\n${visible(node.best.text)} ${percent(node.best.probability)}`;
  return (
    <button
      type="button"
      className={css.dot}
      data-rove
      tabIndex={-1}
      data-saved={node.saved !== null}
      data-a={isA}
      aria-current={shown ? "true" : undefined}
      aria-label={saidOf(placed)}
      title={`${saidOf(placed)}${best}`}
      draggable
      onDragStart={(event) => startDrag(event.dataTransfer, node)}
      onClick={() => actions.open(node)}
    />
  );
}

interface PillProps extends Props {
  naming: boolean;
  onName: (on: boolean) => void;
}

export function RunPill({ placed, shown, isA, actions, naming, onName }: PillProps) {
  const { node } = placed;
  const said = saidOf(placed);
  if (naming) {
    return (
      <TitleForm
        title={node.title}
        onDone={(title) => {
          onName(false);
          if (title !== null && title !== node.title) actions.retitle(node, title);
        }}
      />
    );
  }
  return (
    <div className={css.pill} data-shown={shown} data-a={isA} data-run={node.key}>
      <button
        type="button"
        className={css.open}
        data-rove
        tabIndex={-1}
        title={said}
        aria-current={shown ? "true" : undefined}
        draggable
        onDragStart={(event) => startDrag(event.dataTransfer, node)}
        onClick={() => actions.open(node)}
      >
        {isA && <b className={css.mark}>A</b>}
        {node.saved !== null && <Bookmark aria-label="saved" />}
        <span className={css.text}>
          <Description placed={placed} />
        </span>
        {node.best && (
          <small className={css.best}>
            <TokenText text={node.best.text} /> {percent(node.best.probability)}
          </small>
        )}
      </button>
      <Menu.Root modal={false}>
        <Menu.Trigger asChild>
          <button type="button" className={css.menu} data-rove tabIndex={-1} aria-label={`More for the run ${said}`}>
            <EllipsisVertical aria-hidden />
          </button>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
            {isA ? (
              <Menu.Item className="menu-item" onSelect={setBase}>
                Compare with it no longer
              </Menu.Item>
            ) : (
              <Menu.Item className="menu-item" disabled={shown} onSelect={() => setA(node)}>
                Compare with it (as A)
              </Menu.Item>
            )}
            <Menu.Item className="menu-item" disabled={shown} onSelect={() => actions.open(node)}>
              Show it (as B)
            </Menu.Item>
            <Menu.Item className="menu-item" onSelect={() => setTimeout(() => onName(true))}>
              Title…
            </Menu.Item>
            {node.saved === null ? (
              <Menu.Item className="menu-item" onSelect={() => actions.save(node)}>
                Save
              </Menu.Item>
            ) : (
              <Menu.Item className="menu-item" onSelect={() => actions.unsave(node)}>
                Save no longer
              </Menu.Item>
            )}
            <Menu.Item className="menu-item" onSelect={() => actions.remove(node)}>
              Forget
            </Menu.Item>
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </div>
  );
}

/** A beginning tells its prompt and edits, what came from another only what is different. */
function Description({ placed: { node } }: { placed: Placed }) {
  const { title, prompt, interventions, changes } = node;
  if (title !== "") return <b>{title}</b>;
  if (changes === null) {
    return (
      <>
        {prompt} <span className="mono">{interventions.join(" ")}</span>
      </>
    );
  }
  return (
    <>
      {changes.prompt && `${prompt} `}
      <ChangedEdits changes={changes} />
    </>
  );
}

function ChangedEdits({ changes: { added, removed, changed } }: { changes: Changes }) {
  return (
    <span className={`mono ${css.changes}`}>
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
    </span>
  );
}

function TitleForm({ title, onDone }: { title: string; onDone: (title: string | null) => void }) {
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      className={css.title}
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
