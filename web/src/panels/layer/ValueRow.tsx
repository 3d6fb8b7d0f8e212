// A sub-update as a row: name, what it promotes here, signed coefficient, its size as a bar. Opens details, adds edits.
import { memo } from "react";
import type { SubUpdate } from "../../api/types";
import { percent, short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { openUnit } from "../../run/unit";
import { EditMenu } from "../unit/EditMenu";
import css from "./layer.module.css";

interface Props {
  update: SubUpdate;
  /** Its size, as a part of the largest. */
  part: number;
  /** In a comparison: both coefficients; null where it is not among the listed. */
  other?: { base: number | null; edited: number | null };
  name: string | undefined;
  edited: boolean;
  open: boolean;
}

const sharePercent = (share: number): string => (share < 0 ? `\u2212${percent(-share)}` : percent(share));

export const ValueRow = memo(function ValueRow({ update, part, other, name, edited, open }: Props) {
  const { value, coefficient, norm, score, share, effect } = update;
  const promotes = (update.promotes ?? []).slice(0, 6).map(visible);
  const side = coefficient < 0 ? "minus" : "plus";
  const facts = [
    name === undefined ? value : `${name} (${value})`,
    `coefficient ${signed(coefficient)} · length ${short(norm)} = size ${short(score)}`,
    share === 0 ? "not among the dominant here" : `share of this layer's update ${sharePercent(share)}`,
    ...(typeof effect === "number" ? [`direct effect on the followed token's logit ${signed(effect)}`] : []),
    `${coefficient < 0 ? "with its negative coefficient it promotes" : "promotes"} ${promotes.join("  ")}`,
  ];
  return (
    <li className={css.row} data-open={open} data-edited={edited}>
      <button
        type="button"
        className={css.open}
        data-unit={value}
        data-rove
        tabIndex={-1}
        data-side={side}
        title={facts.join("\n")}
        aria-label={facts.join(". ")}
        aria-expanded={open}
        onClick={() => openUnit(value)}
      >
        <span className={css.bar} style={{ width: `${part * 100}%` }} />
        <span className={name === undefined ? `mono ${css.unit}` : css.unit}>{name ?? value.replace(/^L\d+/, "")}</span>
        <span className={`token ${css.promotes}`}>
          <bdi dir="ltr">{promotes.join("  ")}</bdi>
        </span>
        {other === undefined ? (
          <span className={`${css.figure} ${side}`}>{signed(coefficient)}</span>
        ) : (
          <Move {...other} />
        )}
      </button>
      <EditMenu unit={value} name={name} quiet roving />
    </li>
  );
});

function Move({ base, edited }: { base: number | null; edited: number | null }) {
  if (base === edited) return <span className={`${css.figure} muted`}>{listed(base)} =</span>;
  return (
    <span className={`${css.figure} ${(edited ?? 0) > (base ?? 0) ? "plus" : "minus"}`}>
      {listed(base)} → {listed(edited)}
    </span>
  );
}

const listed = (coefficient: number | null): string => (coefficient === null ? "–" : signed(coefficient));
