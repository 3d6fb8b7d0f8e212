// The search box with its help, and the box for words that count against a vector.
import { CircleHelp, Minus, Search, X } from "lucide-react";
import { Popover as P } from "radix-ui";
import { useState } from "react";
import { IconButton, Popover } from "../../ui/controls";
import { ExploreLink } from "../../panels/links/links";
import { setExplore, useExplore } from "../../run/explore";
import css from "./explore.module.css";

export const EXAMPLES: readonly (readonly [string, string])[] = [
  ["teacher, school", "both words, whatever their case and leading space"],
  ["teach*", "every token that begins so"],
  ['"New York"', "exactly this text; several tokens are a phrase"],
  ["/^ un.*(able|ible)$/", "every token that the regular expression finds; /…/i for any case"],
  ['","', "punctuation, in quotes"],
];

export function SearchBox() {
  const { q, unwanted, like, residual } = useExplore();
  const [minus, showMinus] = useState(false);
  const write = (text: string) => setExplore({ q: text, like: "", residual: null, against: "" });
  return (
    <>
      <div className={css.searchLine}>
        <div className={css.searchBox}>
          <Search aria-hidden />
          <input
            id="search"
            className="field"
            type="text"
            aria-label="Words that the vectors promote"
            placeholder={'teacher, school   teach*   "New York"   /^ un.*able$/'}
            autoComplete="off"
            spellCheck={false}
            // The page opens to search; the box is the first thing in it.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus={residual === null}
            value={q}
            onChange={(event) => write(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== "ArrowDown") return;
              event.preventDefault();
              document.querySelector<HTMLElement>("[data-result] a")?.focus();
            }}
          />
          {q !== "" && (
            <IconButton label="Clear the search" className="small" onClick={() => setExplore({ q: "", skip: [] })}>
              <X aria-hidden />
            </IconButton>
          )}
          <Help />
        </div>
        {minus || unwanted !== "" ? (
          <div className={`${css.searchBox} ${css.minusBox}`}>
            <Minus aria-hidden />
            <input
              className="field"
              type="text"
              aria-label="Words that count against a vector"
              placeholder="but not these"
              autoComplete="off"
              spellCheck={false}
              // The box was just asked for.
              // eslint-disable-next-line jsx-a11y/no-autofocus
              autoFocus={minus}
              value={unwanted}
              onChange={(event) => setExplore({ unwanted: event.target.value, like: "", residual: null, against: "" })}
            />
            <IconButton
              label="Without unwanted words"
              className="small"
              onClick={() => {
                setExplore({ unwanted: "" });
                showMinus(false);
              }}
            >
              <X aria-hidden />
            </IconButton>
          </div>
        ) : (
          <button type="button" className="button" onClick={() => showMinus(true)}>
            <Minus aria-hidden />
            Unwanted words
          </button>
        )}
      </div>
      {like !== "" && (
        <p className={css.sought}>
          Vectors that point the same way as <span className="mono">{like}</span>, or the opposite way
          <ExploreLink className="button small">
            <X aria-hidden />
            Search for words
          </ExploreLink>
        </p>
      )}
    </>
  );
}

function Help() {
  return (
    <Popover
      label="How to write a search"
      align="end"
      trigger={
        <button type="button" className="button icon small quiet" aria-label="How to write a search">
          <CircleHelp aria-hidden />
        </button>
      }
    >
      <dl className={css.searchHelp}>
        {EXAMPLES.map(([text, meaning]) => (
          <div key={text}>
            <dt>
              <P.Close asChild>
                <ExploreLink to={{ q: text }} className="mono">
                  {text}
                </ExploreLink>
              </P.Close>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">
        A comma parts keywords. Every vector of the network is compared by its weights, with a positive coefficient and
        with a negative one.
      </p>
    </Popover>
  );
}
