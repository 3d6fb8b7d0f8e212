// A sub-update as a chip: name, signed coefficient, what it promotes here, its share. Opens details, adds an edit.
import { Plus } from "lucide-react";
import { memo } from "react";
import type { SubUpdate } from "../../api/types";
import { percent, short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { addEdit } from "../../run/edits";
import { setView } from "../../run/view";

interface Props {
  update: SubUpdate;
  /** In a comparison: both coefficients; null where it is not among the listed. */
  other?: { base: number | null; edited: number | null };
  name: string | undefined;
  edited: boolean;
  open: boolean;
}

export const ValueChip = memo(function ValueChip({ update, other, name, edited, open }: Props) {
  const { value, coefficient, norm, score, share, effect } = update;
  const promotes = (update.promotes ?? []).slice(0, 5).map(visible);
  const side = coefficient < 0 ? "minus" : "plus";
  const facts = [
    name === undefined ? value : `${name} (${value})`,
    `coefficient ${signed(coefficient)} · length ${short(norm)} = size ${short(score)}`,
    share === 0 ? "not among the dominant here" : `share of this layer's update ${sharePercent(share)}`,
    ...(typeof effect === "number" ? [`direct effect on the followed token's logit ${signed(effect)}`] : []),
    `${coefficient < 0 ? "with its negative coefficient it promotes" : "promotes"} ${promotes.join("  ")}`,
  ];
  return (
    <li className="value-chip" data-side={side} data-open={open} data-edited={edited}>
      <button
        type="button"
        className="value-open"
        title={facts.join("\n")}
        aria-label={facts.join(". ")}
        aria-expanded={open}
        onClick={() => setView({ value })}
      >
        <span className="value-line">
          <span className={name === undefined ? "mono value-name" : "value-name"}>
            {name ?? <ShortName value={value} />}
          </span>
          {other === undefined ? (
            <span className={`value-number ${side}`}>{signed(coefficient)}</span>
          ) : (
            <Move {...other} />
          )}
        </span>
        <span className="value-tokens token">
          <bdi dir="ltr">{promotes.join("  ")}</bdi>
        </span>
        <span className="value-share" style={{ width: `${Math.min(Math.abs(share), 1) * 100}%` }} />
      </button>
      <button
        type="button"
        className="value-add"
        aria-label={`Edit ${name ?? value}`}
        title="Add an edit: switch it off"
        onClick={() => addEdit({ value, operation: "off", amount: null, scope: "all" })}
      >
        <Plus aria-hidden />
      </button>
    </li>
  );
});

/** The layer's part of the name goes first where there is no room: the panel says it too. */
function ShortName({ value }: { value: string }) {
  const [, layer, rest] = /^(L\d+)(.*)$/.exec(value) ?? [];
  return (
    <>
      <span className="value-layer">{layer}</span>
      {rest}
    </>
  );
}

function Move({ base, edited }: { base: number | null; edited: number | null }) {
  if (base === edited) return <span className="value-number muted">{listed(base)} =</span>;
  return (
    <span className={`value-number ${(edited ?? 0) > (base ?? 0) ? "plus" : "minus"}`}>
      {listed(base)} → {listed(edited)}
    </span>
  );
}

const listed = (coefficient: number | null): string => (coefficient === null ? "·" : signed(coefficient));

const sharePercent = (share: number): string => (share < 0 ? `\u2212${percent(-share)}` : percent(share));
