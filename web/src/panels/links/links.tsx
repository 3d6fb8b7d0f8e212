// Links into the Explore page. They carry the state of both pages, so they follow its changes.
import type { ComponentProps } from "react";
import { Link } from "../../ui/Link";
import { useView } from "../../run/view";
import type { Explore } from "../../domain/explore";
import { exploreAddress, lastExploreAddress, useExplore } from "../../run/explore";

type Rest = Omit<ComponentProps<"a">, "href">;

/** To a place of the tabs: what is not said of it is the default. */
export function ExploreLink({ to = {}, hash = "", ...rest }: Rest & { to?: Partial<Explore>; hash?: string }) {
  useView();
  return <Link href={exploreAddress(to) + hash} {...rest} />;
}

/** To a value vector's page; the search is kept, to come back to. "" leads back to it. */
export function ValueLink({ value, ...rest }: Rest & { value: string }) {
  useView();
  useExplore();
  return <Link href={lastExploreAddress(value)} {...rest} />;
}
