// The search over all value vectors: the box with its filters, how it was understood, and what was found.
import { useQuery } from "@tanstack/react-query";
import { asApiError } from "../../api/client";
import { searchQuery } from "../../api/search";
import { Empty, ErrorNote } from "../../ui/notes";
import { thousands } from "../../domain/numbers";
import { Filters } from "./Filters";
import { Hints } from "./Hints";
import { Understood } from "./Understood";
import { Results } from "./Results";
import { SearchBox } from "./SearchBox";
import { SoughtPlace } from "./SoughtPlace";
import { Start } from "./Start";
import { useExplore } from "../../run/explore";
import { Waiting } from "../../panels/shell/Waiting";
import { useSought } from "../../run/useSought";
import css from "./explore.module.css";

export function SearchTab() {
  const { residual, like } = useExplore();
  const { sought, filter } = useSought();
  const found = useQuery(searchQuery(sought, filter));
  const { data, error, isFetching, isPlaceholderData, refetch } = found;
  const answer = sought === null ? undefined : data;
  return (
    <div className="search">
      <search aria-label="Search all value vectors">
        <SearchBox />
        {residual !== null && <SoughtPlace place={residual} />}
        <Hints failed={error !== null} />
        <Filters hasExperts={answer?.results.some(({ expert }) => expert !== null) ?? false} />
      </search>
      {error !== null && sought !== null ? (
        <>
          <ErrorNote failure={error} onRetry={asApiError(error).status === 422 ? undefined : () => void refetch()} />
          {"q" in sought && <Start />}
        </>
      ) : sought === null ? (
        residual === null && <Start />
      ) : answer === undefined ? (
        <Waiting query={found} doing="Searching all value vectors…" />
      ) : (
        <div className={css.searchAnswer} data-answer aria-busy={isFetching} data-old={isPlaceholderData}>
          <section aria-labelledby="found">
            <h2 id="found" className="hidden">
              {residual !== null ? "Writers" : like !== "" ? `Like ${like}` : "Found"}
            </h2>
            <p className="hidden" role="status">
              {answer.results.length} of {thousands(answer.searched)} value vectors
            </p>
            {answer.results.length === 0 ? (
              <Empty title="No value vector passes the filters">Widen the layers, or allow both signs.</Empty>
            ) : (
              <Results key={answer.query} answer={answer} />
            )}
          </section>
          <Understood answer={answer} />
        </div>
      )}
    </div>
  );
}
