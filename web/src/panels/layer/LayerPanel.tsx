// One layer at one position: before, dominant sub-updates, after; or how the edits changed them.
import { memo } from "react";
import type { LayerView, SubUpdate } from "../../api/types";
import { WritersLink } from "../links/WritersLink";
import type { View } from "../../domain/view";
import { setView } from "../../run/view";
import { DifferenceChip, ScoreChip } from "./TokenChips";
import { rankChange, tokenDifferences, valueDifferences } from "../../domain/rank";
import type { EditedUpdate } from "../../run/useEditedUpdates";
import { ValueChip } from "./ValueChip";

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
  last: boolean;
  open: string;
  sort: View["sort"];
  names: ReadonlyMap<string, string>;
  edited: ReadonlySet<string>;
  followed: ReadonlyMap<number, number>;
}

export const LayerPanel = memo(function LayerPanel(props: Props) {
  const { layer, position, selected, last } = props;
  return (
    <article className="layer" data-layer={layer.layer} data-selected={selected} aria-label={`Layer ${layer.layer}`}>
      <button
        type="button"
        className="layer-number"
        aria-pressed={selected}
        aria-label={`Choose layer ${layer.layer}`}
        onClick={() => setView({ layer: layer.layer })}
      >
        {layer.layer}
      </button>
      <dl className="layer-rows">
        <dt>before</dt>
        <dd>
          <Tokens {...props} side="before" />
        </dd>
        {layer.values.length > 0 && (
          <>
            <dt>updates</dt>
            <dd>
              <Values {...props} />
            </dd>
          </>
        )}
        <dt>
          {last ? "output" : "after"}
          <WritersLink layer={layer.layer} position={position} />
        </dt>
        <dd>
          <Tokens {...props} side="after" />
        </dd>
      </dl>
    </article>
  );
});

function Tokens({ layer, previous, base, shown, side, followed }: Props & { side: "before" | "after" }) {
  if (shown === "difference" && base !== undefined) {
    const moved = tokenDifferences(base[side], layer[side]).slice(0, SHOWN);
    return (
      <ul className="token-row">
        {moved.map((token) => (
          <DifferenceChip key={token.id} token={token} follow={followed.get(token.id)} />
        ))}
      </ul>
    );
  }
  const step = side === "after" ? layer.before : previous?.after;
  return (
    <ol className="token-row">
      {layer[side].map((token, rank) => (
        <ScoreChip
          key={token.id}
          token={token}
          change={step === undefined ? 0 : rankChange(token.id, rank, step)}
          listed={step?.length ?? 0}
          follow={followed.get(token.id)}
        />
      ))}
    </ol>
  );
}

function Values({ layer, base, shown, extra = [], open, sort, names, edited }: Props) {
  if (shown === "difference" && base !== undefined) {
    const moved = valueDifferences(
      withExtra(
        base.values,
        extra.map((update) => update.base),
      ),
      withExtra(
        layer.values,
        extra.map((update) => update.edited),
      ),
    ).slice(0, SHOWN);
    return (
      <ul className="value-row">
        {moved.map(({ value, base, edited: now }) => (
          <ValueChip
            key={value}
            update={(now ?? base) as SubUpdate}
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
  return (
    <ul className="value-row">
      {sorted(withExtra(layer.values, own), sort).map((update) => (
        <ValueChip
          key={update.value}
          update={update}
          name={names.get(update.value)}
          edited={edited.has(update.value)}
          open={open === update.value}
        />
      ))}
    </ul>
  );
}

function sorted(values: readonly SubUpdate[], by: View["sort"]): readonly SubUpdate[] {
  if (by === "score") return values;
  return [...values].sort((a, b) => (b[by] ?? 0) - (a[by] ?? 0));
}

/** A layer's sub-updates, and those of edited vectors that are not dominant in it. */
function withExtra(values: readonly SubUpdate[], extra: readonly SubUpdate[]): readonly SubUpdate[] {
  const listed = new Set(values.map(({ value }) => value));
  return [...values, ...extra.filter(({ value }) => !listed.has(value))];
}
