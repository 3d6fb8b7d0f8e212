// What the search says before there is anything to search for.
import { useQuery } from "@tanstack/react-query";
import { modelQuery } from "../../api/queries";
import { thousands } from "../../domain/numbers";
import { EXAMPLES } from "./SearchBox";
import { ExploreLink } from "../../panels/links/links";
import css from "./explore.module.css";

export function Start() {
  const { data } = useQuery(modelQuery(true));
  return (
    <section className={css.start} aria-labelledby="start-title">
      <h1 id="start-title">Find the vectors that write a word</h1>
      <p>
        {data === undefined ? "All" : `All ${thousands(data.model.value_vectors)}`} value vectors of the model are
        searched for what they promote: any token counts, whether or not it is among a vector’s top tokens. Open one to
        see its words and its neighbours, or add those you find as edits.
      </p>
      <ul>
        {EXAMPLES.map(([text, meaning]) => (
          <li key={text}>
            <ExploreLink className="button" to={{ q: text }}>
              <span className="mono">{text}</span>
            </ExploreLink>
            <span className="muted">{meaning}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
