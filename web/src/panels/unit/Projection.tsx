// The tokens that a vector promotes and suppresses, with bars. Beside a prediction a token is followed through its
// layers; on the vector's own page it leads to the other vectors that write it.
import type { ReactNode } from "react";
import type { PromotedToken } from "../../api/types";
import { short } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { exactly } from "../../domain/keywords";
import { ExploreLink } from "../links/links";
import { toggleFollowed } from "../../run/follow";

interface Props {
  promotes: readonly PromotedToken[];
  suppresses: readonly PromotedToken[];
  /** Whether tokens are searched instead of followed. */
  searching?: boolean;
}

export function Projection({ promotes, suppresses, searching = false }: Props) {
  const most = Math.max(...[...promotes, ...suppresses].map(({ logit }) => Math.abs(logit)), 1e-9);
  const Token = searching ? Searched : Followed;
  const side = (title: string, tokens: readonly PromotedToken[], side: "plus" | "minus") => (
    <div>
      <h3 className="section-title">{title}</h3>
      <ol aria-label={title}>
        {tokens.map((token) => (
          <li key={token.id}>
            <Token token={token}>
              <span
                className={`projection-bar ${side}`}
                style={{ width: `${(Math.abs(token.logit) / most) * 100}%` }}
              />
              <TokenText text={token.text} />
              <span className="projection-number">{short(token.logit)}</span>
            </Token>
          </li>
        ))}
      </ol>
    </div>
  );
  return (
    <div className="projection">
      {side("Promotes", promotes, "plus")}
      {side("Suppresses", suppresses, "minus")}
    </div>
  );
}

interface TokenProps {
  token: PromotedToken;
  children: ReactNode;
}

const said = ({ text, logit }: PromotedToken): string => `${visible(text)} ${short(logit)}`;

function Followed({ token, children }: TokenProps) {
  return (
    <button
      type="button"
      className="projected"
      title={`${said(token)}\nClick to follow`}
      aria-label={said(token)}
      onClick={() => toggleFollowed(token.id)}
    >
      {children}
    </button>
  );
}

function Searched({ token, children }: TokenProps) {
  return (
    <ExploreLink
      className="projected"
      title={`${said(token)}\nWhich other vectors write it?`}
      aria-label={said(token)}
      to={{ q: exactly(token.text) }}
    >
      {children}
    </ExploreLink>
  );
}
