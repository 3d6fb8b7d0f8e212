// One vector that was found: its name, how strongly and with which sign it says what was sought, what else it promotes.
import { Plus } from "lucide-react";
import type { SearchAnswer, SearchResult } from "../../api/types";
import { short, thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { addToEdits } from "../../run/edits";
import { editOf, MEANS, OPERATION, written } from "../../domain/scores";
import { ExploreLink, UnitLink } from "../../panels/links/links";
import css from "./explore.module.css";

interface Props {
  result: SearchResult;
  measure: SearchAnswer["measure"];
  /** Size of its score, as a part of the largest. */
  part: number;
  /** Texts of the tokens that were sought. */
  sought: ReadonlySet<string>;
  /** The listed edits of it, as text. */
  edited: string;
  selected: boolean;
  onSelect: (value: string, on: boolean) => void;
}

export function ResultRow({ result, measure, part, sought, edited, selected, onSelect }: Props) {
  const { value, name, score, sign, tokens, promotes } = result;
  const edit = editOf(result, measure);
  // A share says for or against by its own sign; the coefficient's is another matter there.
  const side = (measure === "share" ? score < 0 : sign === "-") ? "minus" : "plus";
  const operation = OPERATION[edit.operation as keyof typeof OPERATION];
  return (
    <li className={css.result} data-result data-selected={selected}>
      <input
        type="checkbox"
        aria-label={`Select ${value}`}
        checked={selected}
        onChange={(event) => onSelect(value, event.target.checked)}
      />
      <span className={css.resultName}>
        <UnitLink value={value} className={name ? undefined : "mono"}>
          {name ?? value}
        </UnitLink>
        {name && <small className="mono muted">{value}</small>}
        {edited !== "" && (
          <small className={css.resultEdited} title={edited}>
            edited
          </small>
        )}
      </span>
      <span
        className={css.resultScore}
        title={`${MEANS[measure]}; with a ${sign === "-" ? "negative" : "positive"} coefficient`}
      >
        <i className={side} style={{ width: `${part * 100}%` }} />
        <b>{written(score, measure)}</b>
        <span className={`${css.sign} ${measure === "share" ? "muted" : side}`}>
          <span className="hidden">coefficient </span>
          {sign === "-" ? "\u2212" : "+"}
        </span>
      </span>
      <span className={css.resultTokens}>
        {tokens.length > 0 && (
          <span className={css.resultMatches}>
            {tokens.map(({ key, text, z, rank }) => (
              <span key={key} title={`${visible(text)}: ${short(z)} standard deviations, rank ${thousands(rank)}`}>
                <TokenText text={text} /> {short(z)}σ <span className="muted">#{thousands(rank)}</span>
              </span>
            ))}
          </span>
        )}
        <span className={css.resultPromotes}>
          {promotes.map((text, index) =>
            sought.has(text) ? (
              <mark key={index}>
                <TokenText text={text} />
              </mark>
            ) : (
              <TokenText key={index} text={text} />
            ),
          )}
        </span>
      </span>
      <span className={css.resultActions}>
        <ExploreLink className="button small quiet" to={{ like: value }} aria-label={`Like ${value}`}>
          Like this
        </ExploreLink>
        <button
          type="button"
          className="button small"
          aria-label={`Add ${value}=${edit.operation} to the edits`}
          title={`Add the edit ${value}=${edit.operation}`}
          onClick={() => addToEdits([edit])}
        >
          <Plus aria-hidden />
          {operation}
        </button>
      </span>
    </li>
  );
}
