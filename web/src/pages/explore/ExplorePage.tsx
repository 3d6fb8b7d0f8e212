// The page for exploring all value vectors: search, clusters, or the page of one vector.
import { useEffect, useRef } from "react";
import { ClustersPage } from "../clusters/ClustersPage";
import { VectorPage } from "../vector/VectorPage";
import { SearchTab } from "./SearchTab";
import { ExploreLink } from "../../panels/links/links";
import { useExplore } from "../../run/explore";
import { useKeptScroll } from "./useKeptScroll";
import "./explore.css";

export default function ExplorePage() {
  const { tab, vector, q, like } = useExplore();
  const title = vector || (tab === "clusters" ? "Clusters" : q || like) || "Explore";
  useEffect(() => {
    const before = document.title;
    document.title = `${title} · ${before}`;
    return () => {
      document.title = before;
    };
  }, [title]);
  return vector === "" ? <Tabs /> : <VectorPage value={vector} />;
}

function Tabs() {
  const state = useExplore();
  const { tab } = state;
  const main = useRef<HTMLElement>(null);
  useKeptScroll(main);
  return (
    <main ref={main} className="explore">
      <nav className="tabs" aria-label="Explore">
        <ExploreLink to={{ ...state, tab: "search" }} aria-current={tab === "search" ? "page" : undefined}>
          Search
        </ExploreLink>
        <ExploreLink to={{ ...state, tab: "clusters" }} aria-current={tab === "clusters" ? "page" : undefined}>
          Clusters
        </ExploreLink>
      </nav>
      {tab === "clusters" ? <ClustersPage /> : <SearchTab />}
    </main>
  );
}
