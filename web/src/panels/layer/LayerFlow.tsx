// One layer from left to right: heads, the prediction before the feed-forward, its updates, the prediction after. Or how
// B differs from A in them.
import { memo } from "react";
import type { LayerView, SubUpdate } from "../../api/types";
import { tokenDifferences, rankChange, valueDifferences } from "../../domain/rank";
import type { View } from "../../domain/view";
import type { Followed } from "../../run/follow";
import type { EditedUpdate } from "../../run/useEditedUpdates";
import { setView } from "../../run/view";
import { WritersLink } from "../links/WritersLink";
import { Heads } from "./Heads";
import { DifferenceRow, ScoreRow } from "./TokenRows";
import { ValueRow } from "./ValueRow";
import css from "./layer.module.css";

const SHOWN = 10;

interface Props {
  layer: LayerView;
  /** Where it is read. */
  position: number;
  previous: LayerView | undefined;
  base: LayerView | undefined;
  shown: View["compare"];
  /** The layer's edited vectors: always listed. */
  extra: readonly EditedUpdate[] | undefined;
  selected: boolean;
  /** Whether its number is shown: one below the other. */
  numbered: boolean;
  last: boolean;
  open: string;
  sort: View["sort"];
  names: ReadonlyMap<string, string>;
  edited: ReadonlySet<string>;
  followed: Followed;
}

export const LayerFlow = memo(function LayerFlow(props: Props) {
  const { layer, position, selected, numbered, last, base, shown, open } = props;
  const heads = layer.heads ?? [];
  return (
    <article
      className={css.flow}
      data-layer={layer.layer}
      data-selected={selected && numbered}
      data-heads={heads.length > 0}
      aria-label={`Layer ${layer.layer}`}
    >
      {numbered && (
        <button
          type="button"
          className={css.number}
          data-rove
          tabIndex={-1}
          aria-pressed={selected}
          aria-label={`Choose layer ${layer.layer}`}
          onClick={() => setView({ layer: layer.layer })}
        >
          {layer.layer}
        </button>
      )}
      {heads.length > 0 && (
        <div>
          <h3 className={css.title}>heads</h3>
          <Heads
            heads={heads}
            base={shown === "difference" ? (base?.heads ?? null) : null}
            open={open}
            edited={props.edited}
          />
        </div>
      )}
      <div>
        <h3 className={css.title}>before</h3>
        <Tokens {...props} side="before" />
      </div>
      <div className={css.updates}>
        <h3 className={css.title}>
          <span aria-hidden>+ </span>updates
        </h3>
        <Values {...props} />
      </div>
      <div>
        <h3 className={css.title}>
          <span aria-hidden>→ </span>
          {last ? "after = output" : "after"}
          <WritersLink layer={layer.layer} position={position} />
        </h3>
        <Tokens {...props} side="after" />
      </div>
    </article>
  );
});

function Tokens({ layer, previous, base, shown, side, followed }: Props & { side: "before" | "after" }) {
  const label = `${side === "before" ? "Before" : "After"} the feed-forward of layer ${layer.layer}`;
  if (shown === "difference" && base !== undefined) {
    const moved = tokenDifferences(base[side], layer[side]).slice(0, SHOWN);
    return (
      <ul aria-label={label}>
        {moved.map((token) => (
          <DifferenceRow key={token.id} token={token} followed={followed} />
        ))}
      </ul>
    );
  }
  const step = side === "after" ? layer.before : previous?.after;
  return (
    <ol aria-label={label}>
      {layer[side].slice(0, SHOWN).map((token, rank) => (
        <ScoreRow
          key={token.id}
          token={token}
          change={step === undefined ? 0 : rankChange(token.id, rank, step)}
          listed={step?.length ?? 0}
          followed={followed}
        />
      ))}
    </ol>
  );
}

function Values({ layer, base, shown, extra = [], open, sort, names, edited }: Props) {
  const label = `Updates of layer ${layer.layer}`;
  if (shown === "difference" && base !== undefined) {
    const before = extra.map((update) => update.base);
    const after = extra.map((update) => update.edited);
    const moved = valueDifferences(withExtra(base.values, before), withExtra(layer.values, after)).slice(0, SHOWN);
    const most = Math.max(...moved.map(({ size }) => size), 1e-9);
    return (
      <ul aria-label={label}>
        {moved.map(({ value, base, edited: now, size }) => (
          <ValueRow
            key={value}
            update={(now ?? base) as SubUpdate}
            part={size / most}
            other={{ base: base?.coefficient ?? null, edited: now?.coefficient ?? null }}
            name={names.get(value)}
            edited={edited.has(value)}
            open={open === value}
          />
        ))}
      </ul>
    );
  }
  const own = extra.map((update) => (shown === "base" ? update.base : update.edited));
  const listed = sorted(withExtra(layer.values.slice(0, SHOWN), own), sort);
  const most = Math.max(...listed.map((update) => Math.abs(sizeOf(update, sort))), 1e-9);
  return (
    <ul aria-label={label}>
      {listed.map((update) => (
        <ValueRow
          key={update.value}
          update={update}
          part={Math.abs(sizeOf(update, sort)) / most}
          name={names.get(update.value)}
          edited={edited.has(update.value)}
          open={open === update.value}
        />
      ))}
    </ul>
  );
}

const sizeOf = (update: SubUpdate, by: View["sort"]): number => update[by] ?? 0;

function sorted(values: readonly SubUpdate[], by: View["sort"]): readonly SubUpdate[] {
  if (by === "score") return values;
  return [...values].sort((a, b) => sizeOf(b, by) - sizeOf(a, by));
}

/** A layer's sub-updates, and those of edited vectors that are not dominant in it. */
function withExtra(values: readonly SubUpdate[], extra: readonly SubUpdate[]): readonly SubUpdate[] {
  const listed = new Set(values.map(({ value }) => value));
  return [...values, ...extra.filter(({ value }) => !listed.has(value))];
}
