// The clusters as a list to sort and search. Only the rows in sight are drawn, so that thousands are no burden.
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import type { ClusterBrief } from "../../api/types";
import { Segments } from "../../ui/controls";
import { useSize } from "../../ui/hooks";
import { useTheme } from "../../ui/theme";
import { Elsewhere } from "./Elsewhere";
import { short, thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { ExploreLink } from "../../panels/links/links";
import { setExplore, useExplore } from "../../run/explore";
import { layerColour, type Layers, shownName } from "./mapPaint";
import { ORDERS, type Order } from "./order";
import css from "./clusters.module.css";

interface Props {
  listed: readonly ClusterBrief[];
  /** How many clusters there are. */
  all: number;
  /** Members of the largest. */
  most: number;
  layers: Layers;
  order: Order;
  filter: string;
  pointed: number | null;
  onPoint: (id: number | null) => void;
}

const ROW = 48;
const BEYOND = 6;

export function ClusterList({ listed, all, order, filter, ...rest }: Props) {
  return (
    <section className={css.clusterSide} aria-label="List of clusters">
      <div className={css.listHead}>
        <input
          type="search"
          className="field"
          aria-label="Find clusters by name or token"
          placeholder="Find by name or token"
          value={filter}
          onChange={(event) => setExplore({ clusterFilter: event.target.value })}
        />
        <Segments
          label="Order"
          value={order}
          options={ORDERS}
          onChange={(value) => setExplore({ clusterSort: value === "size" ? "" : value })}
        />
      </div>
      <p className={`${css.listCount} muted`} role="status">
        {filter.trim() === ""
          ? `${thousands(all)} clusters`
          : `${thousands(listed.length)} of ${thousands(all)} clusters`}
      </p>
      {listed.length === 0 ? (
        <Elsewhere word={filter} />
      ) : (
        <Rows key={`${order} ${filter}`} listed={listed} {...rest} />
      )}
    </section>
  );
}

function Rows({ listed, most, layers, pointed, onPoint }: Omit<Props, "all" | "order" | "filter">) {
  const box = useRef<HTMLDivElement>(null);
  const { height } = useSize(box);
  const [top, setTop] = useState(0);
  const wanted = useRef<number | null>(null);
  const first = Math.max(0, Math.floor(top / ROW) - BEYOND);
  const last = Math.min(listed.length, Math.ceil((top + height) / ROW) + BEYOND);

  const focus = (place: number): boolean => {
    const row = box.current?.querySelector<HTMLElement>(`[data-place="${place}"]`);
    row?.focus({ preventScroll: true });
    return row != null;
  };
  // A row that was not drawn yet when the keys led to it.
  useLayoutEffect(() => {
    if (wanted.current !== null && focus(wanted.current)) wanted.current = null;
  });

  const keys = (event: KeyboardEvent) => {
    const at = Number((event.target as HTMLElement).closest<HTMLElement>("[data-place]")?.dataset.place ?? -1);
    const page = Math.max(1, Math.floor(height / ROW) - 1);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: listed.length - 1,
    };
    const step = steps[event.key];
    const element = box.current;
    if (step === undefined || at < 0 || element === null) return;
    event.preventDefault();
    event.stopPropagation();
    const place = Math.min(listed.length - 1, Math.max(0, step));
    element.scrollTop = Math.min(place * ROW, Math.max(element.scrollTop, (place + 1) * ROW - height));
    setTop(element.scrollTop);
    wanted.current = focus(place) ? null : place;
  };

  return (
    <div ref={box} className={css.listScroll} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      {/* The keys move between the links inside. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ol aria-label="Clusters" style={{ height: listed.length * ROW }} onKeyDown={keys}>
        {listed.slice(first, last).map((cluster, index) => (
          <Row
            key={cluster.id}
            cluster={cluster}
            place={first + index}
            of={listed.length}
            most={most}
            layers={layers}
            pointed={cluster.id === pointed}
            onPoint={onPoint}
          />
        ))}
      </ol>
    </div>
  );
}

interface RowProps {
  cluster: ClusterBrief;
  place: number;
  of: number;
  most: number;
  layers: Layers;
  pointed: boolean;
  onPoint: (id: number | null) => void;
}

function Row({ cluster, place, of, most, layers, pointed, onPoint }: RowProps) {
  const state = useExplore();
  const dark = useTheme() === "dark";
  return (
    <li style={{ top: place * ROW }} aria-setsize={of} aria-posinset={place + 1} data-pointed={pointed}>
      <ExploreLink
        to={{ ...state, cluster: cluster.id }}
        data-place={place}
        onMouseEnter={() => onPoint(cluster.id)}
        onMouseLeave={() => onPoint(null)}
        onFocus={() => onPoint(cluster.id)}
        onBlur={() => onPoint(null)}
      >
        <i
          className={css.layerDot}
          style={{ background: layerColour(cluster.layer, layers, dark) }}
          title={`mean layer ${short(cluster.layer)}`}
        />
        <span className={css.rowName} data-named={cluster.named}>
          {shownName(cluster.name)}
        </span>
        <span className={css.rowSize}>
          <i style={{ width: `${Math.max(1, (cluster.size / most) * 100)}%` }} />
          {thousands(cluster.size)}
          <span className="hidden"> vectors</span>
        </span>
        <span className={css.rowTokens}>
          {cluster.promotes.map((text, index) => (
            <TokenText key={index} text={text} />
          ))}
        </span>
        <span className={css.rowNumbers}>
          <span title="Cohesion: mean cosine of the members with their centre">{short(cluster.cohesion)}</span>
          <span title="Mean layer of the members">layer {short(cluster.layer)}</span>
        </span>
      </ExploreLink>
    </li>
  );
}
