// The tokens that a unit promotes and suppresses, with bars. Beside a prediction a token is followed through its layers;
// on the unit's own page it leads to the other vectors that write it.
import type { ReactNode } from "react";
import { exactly } from "../../domain/keywords";
import { short, signed } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { useFollowed } from "../../run/follow";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import { ExploreLink } from "../links/links";
import css from "./unit.module.css";

export interface Projected {
  id: number;
  text: string;
  logit: number;
}

interface Props {
  promotes: readonly Projected[];
  suppresses: readonly Projected[];
  /** Its coefficient at the chosen place: with a negative one it promotes what it otherwise suppresses. */
  here?: number | undefined;
  /** Whether tokens are searched instead of followed. */
  searching?: boolean;
}

export function Projection({ promotes, suppresses, here, searching = false }: Props) {
  const most = Math.max(...[...promotes, ...suppresses].map(({ logit }) => Math.abs(logit)), 1e-9);
  const Token = searching ? Searched : Followed;
  const group = useRoving<HTMLDivElement>();
  const turned = here !== undefined && here < 0;
  const side = (title: string, tokens: readonly Projected[], side: "plus" | "minus") => (
    <div>
      <h3 className="section-title">{title}</h3>
      <ol aria-label={title}>
        {tokens.map((token) => (
          <li key={token.id}>
            <Token token={token}>
              <span
                className={`${css.projectionBar} ${css[side]}`}
                style={{ width: `${(Math.abs(token.logit) / most) * 100}%` }}
              />
              <TokenText text={token.text} />
              <span className={css.projectionNumber}>{short(token.logit)}</span>
            </Token>
          </li>
        ))}
      </ol>
    </div>
  );
  return (
    <div>
      {turned && (
        <p className={css.turned}>
          Its coefficient here is {signed(here)}: here it promotes what it otherwise suppresses.
        </p>
      )}
      <div ref={group} className={css.projection} data-projection>
        {side("Promotes", turned ? suppresses : promotes, "plus")}
        {side("Suppresses", turned ? promotes : suppresses, "minus")}
      </div>
    </div>
  );
}

interface TokenProps {
  token: Projected;
  children: ReactNode;
}

const said = ({ text, logit }: Projected): string => `${visible(text)} ${short(logit)}`;

function Followed({ token, children }: TokenProps) {
  const followed = useFollowed();
  return (
    <button
      type="button"
      className={css.projected}
      data-rove
      tabIndex={-1}
      title={`${said(token)}\nClick to follow`}
      aria-label={said(token)}
      onClick={() => followed.toggle(token.id)}
    >
      {children}
    </button>
  );
}

function Searched({ token, children }: TokenProps) {
  return (
    <ExploreLink
      className={css.projected}
      data-rove
      tabIndex={-1}
      title={`${said(token)}\nWhich other vectors write it?`}
      aria-label={said(token)}
      to={{ q: exactly(token.text) }}
    >
      {children}
    </ExploreLink>
  );
}
