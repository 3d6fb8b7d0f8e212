// Vectors that point the same way as one, or the opposite way, as links to their pages.
import type { SimilarValue } from "../../api/types";
import { short } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { UnitLink } from "../links/links";
import css from "./unit.module.css";

interface Props {
  title: string;
  values: readonly SimilarValue[];
  /** Tokens shown of each. */
  tokens?: number;
}

export function Similar({ title, values, tokens = 6 }: Props) {
  if (values.length === 0) return null;
  return (
    <section className={css.similar}>
      <h3 className="section-title">{title}</h3>
      <ol aria-label={title}>
        {values.map(({ value, name, cosine, promotes }) => (
          <li key={value}>
            <UnitLink value={value} className={name ? undefined : "mono"} title={value}>
              {name ?? value}
            </UnitLink>
            <span className={css.similarCosine} title="cosine of the angle between the two">
              {short(cosine)}
            </span>
            <span className={css.similarTokens}>
              {promotes.slice(0, tokens).map((text, index) => (
                <TokenText key={index} text={text} />
              ))}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
