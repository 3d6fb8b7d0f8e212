// A token of the lens as a chip: probability as a bar, its change of rank; a click follows it everywhere.
import { memo } from "react";
import type { TokenScore } from "../../api/types";
import { percent, points, short } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { toggleFollowed } from "../../run/follow";
import { describeChange, type RankChange, type TokenDifference } from "../../domain/rank";

const ARROWS = { up: "↑", down: "↓" };

interface ScoreChipProps {
  token: TokenScore;
  change: RankChange;
  listed: number;
  follow: number | undefined;
}

export const ScoreChip = memo(function ScoreChip({ token, change, listed, follow }: ScoreChipProps) {
  const said = listed > 0 ? describeChange(change, listed) : "";
  return (
    <li>
      <button
        type="button"
        className="chip"
        data-follow={follow}
        style={follow === undefined ? undefined : { ["--follow" as string]: `var(--follow-${follow})` }}
        title={`${visible(token.text)}\n${percent(token.probability)}, logit ${short(token.logit)}${said && `\n${said}`}\nClick to follow`}
        aria-label={`${visible(token.text)} ${percent(token.probability)}${said && `, ${said}`}`}
        onClick={() => toggleFollowed(token.id)}
      >
        <span className="chip-bar" style={{ width: `${token.probability * 100}%` }} />
        <TokenText text={token.text} />
        {listed > 0 && <Change change={change} />}
        <span className="chip-number">{percent(token.probability)}</span>
      </button>
    </li>
  );
});

function Change({ change }: { change: RankChange }) {
  if (change === 0) return null;
  if (change === "new") return <span className="change new">•</span>;
  return (
    <span className={change > 0 ? "change plus" : "change minus"}>
      {change > 0 ? ARROWS.up : ARROWS.down}
      {Math.abs(change)}
    </span>
  );
}

export const DifferenceChip = memo(function DifferenceChip(props: { token: TokenDifference; follow?: number }) {
  const { token, follow } = props;
  const { base, edited, difference } = token;
  const small = Math.abs(difference) < 0.00005;
  const side = small ? "" : difference > 0 ? "plus" : "minus";
  const from = base === null ? "not listed" : percent(base);
  const to = edited === null ? "not listed" : percent(edited);
  return (
    <li>
      <button
        type="button"
        className={`chip difference ${side}`}
        data-follow={follow}
        style={follow === undefined ? undefined : { ["--follow" as string]: `var(--follow-${follow})` }}
        title={`${visible(token.text)}\nbase ${from} → edited ${to}\nClick to follow`}
        aria-label={`${visible(token.text)}: base ${from}, edited ${to}, difference ${points(difference)} points`}
        onClick={() => toggleFollowed(token.id)}
      >
        <span className="chip-bar" style={{ width: `${Math.abs(difference) * 100}%` }} />
        <TokenText text={token.text} />
        <span className={`chip-number ${side}`}>{points(difference)}</span>
      </button>
    </li>
  );
});
