// The residual stream whose writers are sought: where it is, and another prompt to tell it apart from.
import { X } from "lucide-react";
import { useState } from "react";
import { TokenText } from "../../ui/TokenText";
import { useRun } from "../../run/useRun";
import { useView } from "../../run/view";
import { ExploreLink } from "../../panels/links/links";
import { setExplore, useExplore } from "../../run/explore";
import css from "./explore.module.css";

export function SoughtPlace({ place: [position, layer] }: { place: readonly [number, number] }) {
  const { against } = useExplore();
  const view = useView();
  const { tokens, interventions } = useRun();
  const edited = interventions.length > 0;
  const [draft, setDraft] = useState(against);
  if (view.prompt === "") {
    return (
      <p className={css.sought}>Trace a prompt in the debugger first: this asks what writes its residual stream.</p>
    );
  }
  const tell = (text: string) => {
    setDraft(text);
    setExplore({ against: text });
  };
  return (
    <div className={css.soughtPlace}>
      <p className={css.sought}>
        {against === "" ? "What writes the residual stream" : "What tells the residual streams apart"} after layer
        <b>{layer}</b> at
        <span className={css.soughtPrompt}>
          {tokens.map(({ position: at, text }) => (
            <button
              key={at}
              type="button"
              aria-pressed={at === position}
              aria-label={`Position ${at}`}
              onClick={() => setExplore({ residual: [at, layer] })}
            >
              <TokenText text={text} />
            </button>
          ))}
        </span>
        <ExploreLink className="button small">
          <X aria-hidden />
          Search for words
        </ExploreLink>
      </p>
      <form
        className={css.against}
        onSubmit={(event) => {
          event.preventDefault();
          tell(draft);
        }}
      >
        <label htmlFor="against">Told apart from</label>
        <input
          id="against"
          className="field mono"
          placeholder="another prompt, at its last token: write it and press Enter"
          spellCheck={false}
          // Whoever came to compare writes the other prompt next.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus={location.hash === "#against"}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
        />
        <button type="submit" className="button" disabled={draft === against}>
          Compare
        </button>
        {edited && (
          <button type="button" className="button" onClick={() => tell(view.prompt)} disabled={against === view.prompt}>
            The same without edits
          </button>
        )}
        {against !== "" && (
          <button type="button" className="button quiet" onClick={() => tell("")}>
            Nothing
          </button>
        )}
      </form>
    </div>
  );
}
