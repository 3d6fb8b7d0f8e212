// The two pages as links: each leads to where one was in it.
import { useOnExplore, usePlace } from "../../run/place";
import { Link } from "./Link";
import { addressOf, useView } from "../../run/view";
import { lastExploreAddress } from "../../run/explore";
import css from "./pages.module.css";

export function Pages() {
  const exploring = useOnExplore();
  const view = useView();
  usePlace((place) => place); // The links follow its changes.
  return (
    <nav className={css.pages} aria-label="Pages">
      <Link href={addressOf(view)} aria-current={exploring ? undefined : "page"}>
        Debugger
      </Link>
      <Link href={lastExploreAddress()} aria-current={exploring ? "page" : undefined}>
        Explore
      </Link>
    </nav>
  );
}
