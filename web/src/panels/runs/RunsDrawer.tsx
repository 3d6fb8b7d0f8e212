// The runs at the bottom, flat along the time: closed a line of dots, open with what each changed and gave.
import { Bookmark, ChevronDown, ChevronUp, Trash2 } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { contentOf } from "../../domain/history";
import { timelineOf, type Placed } from "../../domain/timeline";
import { forgetAll } from "../../run/past";
import { useHistory } from "../../run/useHistory";
import { useSession } from "../../run/session";
import { useRunActions } from "../../run/useRunActions";
import { useView } from "../../run/view";
import { IconButton } from "../../ui/controls";
import { kept } from "../../ui/kept";
import { ErrorNote } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { useStore } from "../../ui/store";
import { SessionTree } from "../session/SessionTree";
import { RunDot, RunPill } from "./RunPill";
import css from "./runs.module.css";

const opened = kept<boolean>("runs-open", false);
/** Pixels of a column and of a lane. */
const OPEN = { column: 190, lane: 34 };
const CLOSED = { column: 18, lane: 9 };
const DOT = 18;
const BAR = 28;

export function RunsDrawer() {
  const { model, roots, current, remembered } = useHistory();
  const view = useView();
  const session = useSession();
  const open = useStore(opened);
  const actions = useRunActions(model);
  const group = useRoving<HTMLUListElement>();
  const box = useRef<HTMLDivElement>(null);
  const [naming, setNaming] = useState<string | null>(null);
  const placed = useMemo(() => timelineOf(roots), [roots]);
  const a = view.aPrompt === "" ? null : contentOf({ prompt: view.aPrompt, interventions: view.aEdits });
  const lanes = Math.max(0, ...placed.map(({ lane }) => lane)) + 1;
  // Closed, all lanes have room in the bar, and stand in its middle.
  const size = open ? OPEN : { ...CLOSED, lane: Math.min(CLOSED.lane, (BAR - DOT) / Math.max(1, lanes - 1)) };
  const here = placed.find(({ node }) => node === current)?.column ?? placed.length - 1;
  useEffect(() => {
    const element = box.current;
    if (element !== null) element.scrollLeft = (here + 1) * size.column - element.clientWidth + 40;
  }, [here, size.column]);
  return (
    <section className={css.drawer} data-open={open} aria-labelledby="runs-title">
      <div className={css.head}>
        <h2 id="runs-title" className="section-title">
          <button
            type="button"
            className={css.toggle}
            aria-expanded={open}
            title={open ? "Close the runs" : "Open the runs"}
            onClick={() => opened.set(!open)}
          >
            Runs {open ? <ChevronDown aria-hidden /> : <ChevronUp aria-hidden />}
          </button>
        </h2>
        {open && (
          <>
            <IconButton
              label="Save this run"
              className="small"
              disabled={current === null || current.saved !== null || actions.busy}
              onClick={() => current !== null && actions.save(current)}
            >
              <Bookmark aria-hidden />
            </IconButton>
            <IconButton
              label="Clear the history; saved runs stay"
              className="small"
              disabled={remembered === 0}
              onClick={() => model !== undefined && forgetAll(model)}
            >
              <Trash2 aria-hidden />
            </IconButton>
          </>
        )}
      </div>
      <div className={css.scroll} ref={box}>
        {open && session !== null ? (
          <SessionTree session={session} />
        ) : placed.length === 0 ? (
          <p className={css.none}>Runs are listed here, to go back to and to compare.</p>
        ) : (
          <div
            className={css.field}
            style={{
              width: placed.length * size.column + 8,
              height: open ? lanes * size.lane + 4 : (lanes - 1) * size.lane + DOT,
              ...(open ? {} : { marginTop: (BAR - DOT - (lanes - 1) * size.lane) / 2 }),
            }}
          >
            <Lines placed={placed} size={size} open={open} />
            <ul ref={group} aria-label="Runs">
              {placed.map((one) => {
                const state = {
                  shown: one.node === current,
                  isA: a !== null && contentOf(one.node) === a,
                  actions,
                };
                return (
                  <li key={one.node.key} style={{ left: one.column * size.column, top: one.lane * size.lane }}>
                    {open ? (
                      <RunPill
                        placed={one}
                        {...state}
                        naming={naming === one.node.key}
                        onName={(on) => setNaming(on ? one.node.key : null)}
                      />
                    ) : (
                      <RunDot placed={one} {...state} />
                    )}
                  </li>
                );
              })}
            </ul>
          </div>
        )}
      </div>
      {actions.error !== null && <ErrorNote failure={actions.error} />}
    </section>
  );
}

interface LinesProps {
  placed: readonly Placed[];
  size: { column: number; lane: number };
  open: boolean;
}

/** What came from what: straight on in a lane, down into another. */
function Lines({ placed, size, open }: LinesProps) {
  const x = (column: number) => column * size.column + (open ? 10 : 9);
  const y = (lane: number) => lane * size.lane + (open ? 15 : 9);
  return (
    <svg className={css.lines} aria-hidden>
      {placed.map(
        ({ node, column, lane, from }) =>
          from !== null && <path key={node.key} d={`M${x(from.column)} ${y(from.lane)} V${y(lane)} H${x(column)}`} />,
      )}
    </svg>
  );
}
