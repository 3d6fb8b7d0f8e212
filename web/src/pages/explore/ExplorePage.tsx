// The page for exploring all value vectors: search, clusters, or the page of one vector.
import { useEffect, useRef } from "react";
import { ClustersPage } from "../clusters/ClustersPage";

import { SearchTab } from "./SearchTab";
import { ExploreLink } from "../../panels/links/links";
import { useExplore, useUnitShown } from "../../run/explore";
import { UnitPage } from "./UnitPage";
import { useKeptScroll } from "./useKeptScroll";
import css from "./explore.module.css";

export default function ExplorePage() {
  const { tab, q, like } = useExplore();
  const unit = useUnitShown();
  const title = unit || (tab === "clusters" ? "Clusters" : q || like) || "Explore";
  useEffect(() => {
    const before = document.title;
    document.title = `${title} · ${before}`;
    return () => {
      document.title = before;
    };
  }, [title]);
  return unit === "" ? <Tabs /> : <UnitPage unit={unit} />;
}

function Tabs() {
  const state = useExplore();
  const { tab } = state;
  const main = useRef<HTMLElement>(null);
  useKeptScroll(main);
  return (
    <main ref={main} className={css.explore} data-page="explore">
      <nav className={css.tabs} aria-label="Explore">
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
