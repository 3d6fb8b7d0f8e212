// A token of the lens as a row: probability as a bar, its change of rank; a click follows it everywhere.
import { memo } from "react";
import type { TokenScore } from "../../api/types";
import { percent, points, short } from "../../domain/numbers";
import { describeChange, type RankChange, type TokenDifference } from "../../domain/rank";
import { visible } from "../../domain/visible";
import { followStyle, type Followed } from "../../run/follow";
import { TokenText } from "../../ui/TokenText";
import css from "./layer.module.css";

interface ScoreRowProps {
  token: TokenScore;
  change: RankChange;
  listed: number;
  followed: Followed;
}

export const ScoreRow = memo(function ScoreRow({ token, change, listed, followed }: ScoreRowProps) {
  const said = listed > 0 ? describeChange(change, listed) : "";
  const { id, text, probability, logit } = token;
  return (
    <li className={css.row}>
      <button
        type="button"
        className={css.open}
        data-rove
        tabIndex={-1}
        data-follow={followed.colours.get(id)}
        style={followStyle(followed.colours.get(id))}
        title={`${visible(text)}\n${percent(probability)}, logit ${short(logit)}${said && `\n${said}`}\nClick to follow`}
        aria-label={`${visible(text)} ${percent(probability)}${said && `, ${said}`}`}
        onClick={() => followed.toggle(id)}
      >
        <span className={css.bar} style={{ width: `${probability * 100}%` }} />
        <TokenText text={text} />
        {listed > 0 && <Change change={change} />}
        <span className={css.figure}>{percent(probability)}</span>
      </button>
    </li>
  );
});

function Change({ change }: { change: RankChange }) {
  if (change === 0) return null;
  if (change === "new") return <span className={css.new}>•</span>;
  return (
    <span className={`${css.change} ${change > 0 ? "plus" : "minus"}`}>
      {change > 0 ? "↑" : "↓"}
      {Math.abs(change)}
    </span>
  );
}

export const DifferenceRow = memo(function DifferenceRow(props: { token: TokenDifference; followed: Followed }) {
  const { token, followed } = props;
  const { id, text, base, edited, difference } = token;
  const side = Math.abs(difference) < 0.00005 ? "" : difference > 0 ? "plus" : "minus";
  const from = base === null ? "not listed" : percent(base);
  const to = edited === null ? "not listed" : percent(edited);
  return (
    <li className={css.row}>
      <button
        type="button"
        className={css.open}
        data-rove
        tabIndex={-1}
        data-side={side}
        data-follow={followed.colours.get(id)}
        style={followStyle(followed.colours.get(id))}
        title={`${visible(text)}\nA ${from} → B ${to}\nClick to follow`}
        aria-label={`${visible(text)}: A ${from}, B ${to}, difference ${points(difference)} points`}
        onClick={() => followed.toggle(id)}
      >
        <span className={css.bar} style={{ width: `${Math.abs(difference) * 100}%` }} />
        <TokenText text={text} />
        <span className={`${css.figure} ${side}`}>{points(difference)}</span>
      </button>
    </li>
  );
});
