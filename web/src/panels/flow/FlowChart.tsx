// The graph itself. Edges and nodes are for the mouse; the list beside it says the same to everybody.
import { memo, useMemo, useRef, useState } from "react";
import type { Flow, FlowEdge } from "../../api/types";
import { adds, keyOf } from "../../domain/flow";
import { percent } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { lookAt, type ShownFlow } from "../../run/useFlow";
import { useMap } from "../../run/useMap";
import { setView } from "../../run/view";
import { useSize } from "../../ui/hooks";
import { BELOW, FOOT, HEAD, LABELS, lineOf, x, y, type Plan } from "./place";
import css from "./flow.module.css";

const NARROW = 34;
const WIDE = 230;
const LOW = 13;
const HIGH = 24;
/** Columns of this width have room for a token beside each node. */
const ROOMY = 58;
const ALL: ReadonlySet<number> = new Set();
const LETTER = 6.1;

export function FlowChart({ shown, flow }: { shown: ShownFlow; flow: Flow }) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [left, setLeft] = useState(0);
  const count = flow.position + 1;
  const cell = Math.min(WIDE, Math.max(NARROW, Math.floor((size.width - LABELS - 4) / count)));
  const row = Math.min(HIGH, Math.max(LOW, Math.floor((size.height - HEAD - BELOW - FOOT) / flow.layers)));
  const plan = useMemo((): Plan => ({ layers: flow.layers, cell, row }), [flow.layers, cell, row]);
  const first = Math.max(0, Math.floor(left / cell));
  const last = size.width === 0 ? -1 : Math.min(count - 1, Math.ceil((left + size.width) / cell));
  const map = useMap({ first, last }, ALL);
  const { layer, position, texts } = map;
  const said = (at: number, from: number): string => {
    const found = map.numbers(map.show === "base" ? "a" : "b", at, from);
    return found === null ? "" : visible(texts.get(found.id) ?? "");
  };
  const nodes = useMemo(() => nodesOf(shown.edges, flow), [shown.edges, flow]);
  const [width, height] = [LABELS + count * cell, HEAD + flow.layers * row + BELOW];
  const letters = Math.floor((cell * 0.65 - 12) / LETTER);
  return (
    <div
      ref={box}
      className={css.scroll}
      // A scrolling region must be reachable by keyboard.
      tabIndex={0}
      role="group"
      aria-label="Flow graph"
      onScroll={(event) => setLeft(event.currentTarget.scrollLeft)}
    >
      <svg
        className={css.svg}
        width={width}
        height={height}
        role="img"
        aria-label={`${shown.edges.filter(adds).length} edges to the prediction at position ${flow.position}, over ${flow.layers} layers`}
      >
        <rect
          className={css.column}
          x={x(plan, position) - cell * 0.35}
          y={HEAD - 4}
          width={cell}
          height={flow.layers * row}
          visibility={position < count ? "visible" : "hidden"}
        />
        <rect className={css.row} x={0} y={y(plan, layer) - 6} width={width} height={row} />
        {Array.from({ length: flow.layers }, (_, at) => (
          <text
            key={at}
            className={css.label}
            data-chosen={at === layer}
            x={LABELS - 10}
            y={y(plan, at) + 4}
            onClick={() => setView({ layer: at })}
          >
            {at}
          </text>
        ))}
        <Edges shown={shown} flow={flow} plan={plan} />
        {nodes.map(({ layer: at, position: from }) => (
          <g
            key={`${at} ${from}`}
            className={css.node}
            data-chosen={at === layer && from === position}
            onClick={() => setView({ layer: Math.max(0, at), position: from })}
          >
            <circle cx={x(plan, from)} cy={y(plan, at)} r={3.2} />
            {cell >= ROOMY && at >= 0 && (
              <text x={x(plan, from) + 7} y={y(plan, at) + 3.5}>
                {cut(said(at, from), letters)}
              </text>
            )}
          </g>
        ))}
        <text className={css.output} x={x(plan, flow.position)} y={HEAD - 9}>
          {visible(map.sideB?.output[0]?.text ?? "")} ↑
        </text>
        <text className={css.label} x={LABELS - 10} y={HEAD - 9}>
          layer
        </text>
      </svg>
      <svg className={`${css.svg} ${css.foot}`} width={width} height={FOOT} aria-hidden>
        {flow.tokens.slice(0, count).map(({ text }, at) => (
          <text key={at} className={css.token} data-chosen={at === position} x={x(plan, at)} y={14}>
            {cut(visible(text), Math.floor(cell / LETTER) - 1)}
          </text>
        ))}
      </svg>
    </div>
  );
}

/** Every place where an edge begins or ends: the stream after a layer, −1 for the embeddings. */
function nodesOf(edges: readonly FlowEdge[], flow: Flow): { layer: number; position: number }[] {
  const found = new Map<string, { layer: number; position: number }>();
  const add = (layer: number, position: number) => found.set(`${layer} ${position}`, { layer, position });
  add(flow.layers - 1, flow.position);
  for (const { kind, layer, source, target } of edges) {
    if (kind === "feed-forward") add(layer, target);
    if (kind !== "attention") continue;
    add(layer, target);
    add(layer - 1, source);
  }
  return [...found.values()];
}

const cut = (text: string, most: number): string => {
  const letters = [...text];
  return letters.length > Math.max(most, 1) ? `${letters.slice(0, Math.max(most - 1, 1)).join("")}…` : text;
};

/** Drawn again only when they change: pointing at a node must not draw hundreds of lines. */
const Edges = memo(function Edges({ shown, flow, plan }: { shown: ShownFlow; flow: Flow; plan: Plan }) {
  const chosen = shown.looked === null ? "" : keyOf(shown.looked);
  const past = shown.edges.filter((edge) => !adds(edge));
  const added = shown.edges.filter(adds);
  const name = (position: number) => visible(flow.tokens[position]?.text ?? "");
  return (
    <>
      {past.map((edge) => (
        <path
          key={keyOf(edge)}
          className={css.past}
          data-pinned={shown.pinned.has(keyOf(edge))}
          d={lineOf(plan, edge)}
          strokeWidth={0.8 + 1.6 * edge.contribution}
        />
      ))}
      {added.map((edge) => {
        const key = keyOf(edge);
        const { kind, layer, source, target, contribution } = edge;
        const line = lineOf(plan, edge);
        const what = kind === "attention" ? `${name(source)} → ${name(target)}` : `${kind} at ${name(target)}`;
        return (
          <g
            key={key}
            className={css.line}
            data-kind={kind}
            data-edge={key}
            data-chosen={key === chosen}
            data-pinned={shown.pinned.has(key)}
            onClick={() => lookAt(edge)}
          >
            <title>{`layer ${layer}: ${what}, ${percent(contribution)}`}</title>
            <path className={css.hit} d={line} />
            <path className={css.drawn} d={line} strokeWidth={1.2 + 3.4 * Math.sqrt(contribution)} />
          </g>
        );
      })}
    </>
  );
});
