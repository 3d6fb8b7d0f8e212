// The edges in sight as a list, the largest contribution first: the graph for those who read it, or cannot see it.
import type { Flow } from "../../api/types";
import { adds, keyOf } from "../../domain/flow";
import { percent } from "../../domain/numbers";
import { lookAt, type ShownFlow } from "../../run/useFlow";
import { useRoving } from "../../ui/roving";
import { EdgeName } from "./EdgeName";
import css from "./flow.module.css";

/** A low threshold leaves hundreds. */
const MOST = 60;

export function EdgeList({ shown, flow, least }: { shown: ShownFlow; flow: Flow; least: number }) {
  const group = useRoving<HTMLUListElement>();
  const added = shown.edges.filter(adds).sort((a, b) => b.contribution - a.contribution);
  return (
    <>
      <p className={css.note}>
        {added.length === 1 ? "1 edge adds" : `${added.length} edges add`} to the prediction at position {flow.position}{" "}
        with {percent(shown.threshold)} or more of the stream where they end.
        {added.length === 0 && ` Lower the threshold: it goes down to ${percent(least)}.`}
      </p>
      <ul ref={group} aria-label="Edges by contribution" className={css.list}>
        {added.slice(0, MOST).map((edge) => (
          <li key={keyOf(edge)}>
            <button
              type="button"
              data-rove
              tabIndex={-1}
              data-kind={edge.kind}
              data-pinned={shown.pinned.has(keyOf(edge))}
              onClick={() => lookAt(edge)}
            >
              <span className="chip-bar" style={{ width: `${edge.contribution * 100}%` }} />
              <EdgeName edge={edge} tokens={flow.tokens} />
              <span className={css.figure}>{percent(edge.contribution)}</span>
            </button>
          </li>
        ))}
      </ul>
      {added.length > MOST && <p className={css.note}>and {added.length - MOST} with less</p>}
    </>
  );
}
