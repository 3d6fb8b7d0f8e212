// The tokens that a vector promotes and suppresses, with bars.
import type { PromotedToken } from "../../api/types";
import { short } from "../../ui/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../ui/visible";
import { toggleFollowed } from "../trajectory/follow";

interface Props {
  promotes: readonly PromotedToken[];
  suppresses: readonly PromotedToken[];
}

export function Projection({ promotes, suppresses }: Props) {
  const most = Math.max(...[...promotes, ...suppresses].map(({ logit }) => Math.abs(logit)), 1e-9);
  return (
    <div className="projection">
      <Side title="Promotes" tokens={promotes} most={most} side="plus" />
      <Side title="Suppresses" tokens={suppresses} most={most} side="minus" />
    </div>
  );
}

function Side(props: { title: string; tokens: readonly PromotedToken[]; most: number; side: "plus" | "minus" }) {
  const { title, tokens, most, side } = props;
  return (
    <div>
      <h3 className="section-title">{title}</h3>
      <ol aria-label={title}>
        {tokens.map(({ id, text, logit }) => (
          <li key={id}>
            <button
              type="button"
              title={`${visible(text)} ${short(logit)}\nClick to follow`}
              aria-label={`${visible(text)} ${short(logit)}`}
              onClick={() => toggleFollowed(id)}
            >
              <span className={`projection-bar ${side}`} style={{ width: `${(Math.abs(logit) / most) * 100}%` }} />
              <TokenText text={text} />
              <span className="projection-number">{short(logit)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
