// What a search may have been meant to be: a unit's name, unwanted words, a pattern of any case.
import { hintsFor, type Hint } from "../../domain/keywords";
import { ExploreLink, UnitLink } from "../../panels/links/links";
import { useExplore } from "../../run/explore";
import css from "./explore.module.css";

export function Hints({ failed }: { failed: boolean }) {
  const state = useExplore();
  const hints = state.like === "" && state.residual === null ? hintsFor(state.q, failed) : [];
  if (hints.length === 0) return null;
  return (
    <ul className={css.hints} aria-label="Did you mean">
      {hints.map((hint) => (
        <li key={hint.kind}>{said(hint, state.unwanted)}</li>
      ))}
    </ul>
  );
}

function said(hint: Hint, unwanted: string) {
  if (hint.kind === "unit") {
    return (
      <>
        <b className="mono">{hint.unit}</b> is the name of a unit, not a word:{" "}
        <UnitLink value={hint.unit}>open it</UnitLink>
      </>
    );
  }
  if (hint.kind === "unwanted") {
    return (
      <>
        A minus is read as a part of the phrase.{" "}
        <ExploreLink to={{ q: hint.q, unwanted: [unwanted, hint.unwanted].filter(Boolean).join(", ") }}>
          Search {hint.q} without {hint.unwanted}
        </ExploreLink>
      </>
    );
  }
  return (
    <>
      The pattern minds the case. <ExploreLink to={{ q: hint.q }}>Search {hint.q} in any case</ExploreLink>
    </>
  );
}
