// The tree of a session, flat: tokens across, a branch in a lane of its own. A click goes there; nothing is lost.
import { useQuery } from "@tanstack/react-query";
import { DropdownMenu as Menu } from "radix-ui";
import { useMemo, useState } from "react";
import { differenceQuery } from "../../api/sessions";
import type { SessionView } from "../../api/types";
import { layout, pathOf, type PlacedNode } from "../../domain/session";
import { nats, percent, short } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { useSessionVerbs, useSessionWork } from "../../run/session";
import { Empty, ErrorNote } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import css from "./session.module.css";

const COLUMN = 100;
const LANE = 28;

export function SessionTree({ session }: { session: SessionView }) {
  const verbs = useSessionVerbs();
  const { busy } = useSessionWork();
  const group = useRoving<HTMLUListElement>();
  const [against, compare] = useState<string | null>(null);
  const placed = useMemo(() => layout(session.nodes), [session.nodes]);
  const path = useMemo(() => new Set(pathOf(session).map(({ id }) => id)), [session]);
  const width = (Math.max(...placed.map(({ column }) => column), 0) + 1) * COLUMN + 30;
  const height = (Math.max(...placed.map(({ lane }) => lane), 0) + 1) * LANE + 4;
  return (
    <div className={css.tree}>
      <div className={css.treeField} style={{ width, height }}>
        <svg className={css.lines} width={width} height={height} aria-hidden>
          {placed.map(({ node, column, lane, from }) =>
            from === null ? null : (
              <path
                key={node.id}
                data-path={path.has(node.id)}
                d={`M${(column - 1) * COLUMN + 20} ${from * LANE + 13}V${lane * LANE + 13}H${column * COLUMN + 8}`}
              />
            ),
          )}
        </svg>
        <ul ref={group} aria-label="Tree of the session">
          {placed.map((one) => (
            <li key={one.node.id} style={{ left: one.column * COLUMN, top: one.lane * LANE }}>
              <Node
                one={one}
                here={one.node.id === session.at}
                passed={path.has(one.node.id)}
                disabled={busy}
                onGo={() => verbs.move({ verb: "goto", node: one.node.id })}
                onCompare={() => compare(one.node.id)}
                onRemove={() => verbs.remove(one.node.id)}
              />
            </li>
          ))}
        </ul>
      </div>
      {against !== null && (
        <Difference id={session.id} first={against} second={session.at} onClose={() => compare(null)} />
      )}
    </div>
  );
}

interface NodeProps {
  one: PlacedNode;
  here: boolean;
  passed: boolean;
  disabled: boolean;
  onGo: () => void;
  onCompare: () => void;
  onRemove: () => void;
}

function Node({ one: { node }, here, passed, disabled, onGo, onCompare, onRemove }: NodeProps) {
  const text = node.token === null ? "prompt" : visible(node.token.text);
  const edits = node.interventions.length > 0 ? `, with ${node.interventions.join(" ")}` : "";
  return (
    <Menu.Root modal={false}>
      <div className={css.node} data-here={here} data-path={passed} data-forced={node.forced}>
        <button
          type="button"
          data-rove
          tabIndex={-1}
          aria-current={here ? "step" : undefined}
          aria-label={`${text}, position ${node.position}${node.forced ? ", forced" : ""}${edits}`}
          title={`${text}${node.logprob === null ? "" : `\n${percent(Math.exp(node.logprob))}`}${edits}\nGo here`}
          disabled={disabled}
          onClick={onGo}
        >
          {node.name || text}
        </button>
        <Menu.Trigger asChild>
          <button
            type="button"
            data-rove
            tabIndex={-1}
            className={css.more}
            aria-label={`More for ${text} at ${node.position}`}
          >
            ⋮
          </button>
        </Menu.Trigger>
      </div>
      <Menu.Portal>
        <Menu.Content className="popover menu" align="start" sideOffset={4} collisionPadding={8}>
          <Menu.Item className="menu-item" disabled={here} onSelect={onCompare}>
            What differs from where I am
          </Menu.Item>
          <Menu.Item className="menu-item" disabled={node.parent === null || passed} onSelect={onRemove}>
            Forget it and what came from it
          </Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

function Difference({
  id,
  first,
  second,
  onClose,
}: {
  id: string;
  first: string;
  second: string;
  onClose: () => void;
}) {
  const { data, error } = useQuery(differenceQuery(id, first, second));
  return (
    <section className={css.difference} aria-label="What differs">
      <p>
        <b>What differs</b>{" "}
        <button type="button" className="button small quiet" onClick={onClose}>
          Close
        </button>
      </p>
      {error !== null && <ErrorNote failure={error} />}
      {data === undefined && error === null && <Empty title="Comparing…" />}
      {data !== undefined && (
        <>
          <p>
            KL {nats(data.kl)} nats · <TokenText text={data.first_top[0]?.text ?? ""} /> →{" "}
            <TokenText text={data.second_top[0]?.text ?? ""} /> ·{" "}
            {data.parts_at === null
              ? "the same token leads after every layer"
              : `other tokens lead from layer ${data.parts_at} on`}
          </p>
          <ul aria-label="Units that differ">
            {data.units.slice(0, 8).map(({ value, change, first: a, second: b }) => (
              <li key={value}>
                <b className="mono">{value}</b> {change}: {short(a)} → {short(b)}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
