// How a search was understood: the tokens that write each keyword, each to be switched off, and where the strongest are.
import { useQuery } from "@tanstack/react-query";
import { modelQuery } from "../../api/queries";
import type { Keyword, SearchAnswer } from "../../api/types";
import { LayerHistogram } from "../../ui/LayerHistogram";
import { lensName } from "../../domain/lens";
import { thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { written } from "../../domain/scores";
import { setExplore, useExplore } from "../../run/explore";
import css from "./explore.module.css";

/** A regular expression can match hundreds of tokens. */
const SHOWN = 60;

export function Understood({ answer }: { answer: SearchAnswer }) {
  const { layers } = useExplore();
  const { data } = useQuery(modelQuery(true));
  const counts = Array.from({ length: data?.model.layers ?? 0 }, () => 0);
  for (const { layer, hits } of answer.layers) counts[layer] = hits;
  const strongest = new Map(answer.layers.map(({ layer, strongest }) => [layer, strongest]));
  return (
    <aside className={css.understood} aria-label="How it was understood">
      <h2 className="section-title">Where the {answer.strongest} strongest are</h2>
      <LayerHistogram
        counts={counts}
        label="of the strongest"
        chosen={layers}
        describe={(layer) => `best ${written(strongest.get(layer) ?? 0, answer.measure)}`}
        onChoose={(layer) =>
          setExplore({ layers: layers !== null && layers[0] === layer && layers[1] === layer ? null : [layer, layer] })
        }
      />
      <p className={`muted ${css.understoodNote}`}>
        {thousands(answer.searched)} vectors compared through the {lensName(answer.lens)}. A click on a layer searches
        it alone.
      </p>
      {answer.keywords.map((keyword) => (
        <Forms key={`${keyword.unwanted} ${keyword.text}`} keyword={keyword} />
      ))}
    </aside>
  );
}

function Forms({ keyword }: { keyword: Keyword }) {
  const { skip } = useExplore();
  const { text, unwanted, forms } = keyword;
  const all = forms.map(({ key }) => key);
  const toggle = (key: string, on: boolean) =>
    setExplore({ skip: on ? skip.filter((other) => other !== key) : [...skip, key] });
  return (
    <fieldset className={css.forms} data-unwanted={unwanted}>
      <legend>
        {unwanted && <span className="minus">not </span>}
        <span className="mono">{visible(text)}</span>
        <span className="muted">
          {forms.length === 1 ? "1 form" : `${forms.length} forms`}
          {forms.length > 3 && (
            <button
              type="button"
              className={css.link}
              onClick={() =>
                setExplore({
                  skip: forms.some(({ used }) => !used)
                    ? skip.filter((key) => !all.includes(key))
                    : [...new Set([...skip, ...all.slice(1)])],
                })
              }
            >
              {forms.some(({ used }) => !used) ? "all" : "only the first"}
            </button>
          )}
        </span>
      </legend>
      <ul>
        {forms.slice(0, SHOWN).map(({ key, text: form }) => (
          <li key={key}>
            <label>
              <input
                type="checkbox"
                checked={!skip.includes(key)}
                onChange={(event) => toggle(key, event.target.checked)}
              />
              <TokenText text={form} />
            </label>
          </li>
        ))}
        {forms.length > SHOWN && <li className="muted">and {forms.length - SHOWN} more</li>}
      </ul>
    </fieldset>
  );
}
