// Which clusters hold a word that none has in its name or first tokens: those of the vectors that promote it most.
import { useQueries, useQuery } from "@tanstack/react-query";
import { valueQuery } from "../../api/queries";
import { searchQuery } from "../../api/search";
import { exactly } from "../../domain/keywords";
import { ExploreLink } from "../../panels/links/links";
import { useExplore } from "../../run/explore";
import { useDebounced } from "../../ui/hooks";
import { Empty } from "../../ui/notes";
import { shownName } from "./mapPaint";

const VECTORS = 12;
const FILTER = { layers: null, sign: "both", expert: null, named: false, limit: VECTORS, lens: "" } as const;

export function Elsewhere({ word }: { word: string }) {
  const state = useExplore();
  const wanted = useDebounced(word.trim(), 250);
  const plain = /^[\w\s'-]+$/.test(wanted) ? wanted : exactly(wanted);
  const found = useQuery({
    ...searchQuery(wanted === "" ? null : { q: plain, unwanted: "", match: "all", skip: [] }, FILTER),
    placeholderData: undefined,
    retry: false,
  });
  const vectors = useQueries({ queries: (found.data?.results ?? []).map(({ value }) => valueQuery(value)) });
  const clusters = new Map(
    vectors.flatMap(({ data }) => (data?.cluster ? [[data.cluster.id, data.cluster.name] as const] : [])),
  );
  const searching = found.isFetching || vectors.some(({ isFetching }) => isFetching);
  return (
    <Empty title="No cluster has that in its name or first tokens">
      {clusters.size > 0 ? (
        <>
          The vectors that promote it most are in{" "}
          {[...clusters].map(([id, name], index) => (
            <span key={id}>
              {index > 0 && ", "}
              <ExploreLink to={{ ...state, cluster: id }}>{shownName(name)}</ExploreLink>
            </span>
          ))}
          .
        </>
      ) : searching ? (
        "Looking among all value vectors…"
      ) : (
        "No value vector promotes it either."
      )}{" "}
      <ExploreLink to={{ q: plain }}>Search all value vectors</ExploreLink>
    </Empty>
  );
}
