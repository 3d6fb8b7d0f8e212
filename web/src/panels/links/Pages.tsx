// The two pages as links: each leads to where one was in it.
import { useOnExplore } from "../../ui/address";
import { Link } from "../../ui/Link";
import { addressOf, useView } from "../../run/view";
import { lastExploreAddress, useExplore } from "../../run/explore";
import "./pages.css";

export function Pages() {
  const exploring = useOnExplore();
  const view = useView();
  useExplore(); // The links follow its changes.
  return (
    <nav className="pages" aria-label="Pages">
      <Link href={addressOf(view)} aria-current={exploring ? undefined : "page"}>
        Debugger
      </Link>
      <Link href={lastExploreAddress()} aria-current={exploring ? "page" : undefined}>
        Explore
      </Link>
    </nav>
  );
}
