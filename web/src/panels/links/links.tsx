// Links into the Explore page. They carry the state of both pages, so they follow its changes.
import type { ComponentProps } from "react";
import { Link } from "./Link";

import type { Explore } from "../../domain/explore";
import { exploreAddress, lastExploreAddress } from "../../run/explore";
import { usePlace } from "../../run/place";

type Rest = Omit<ComponentProps<"a">, "href">;

/** To a place of the tabs: what is not said of it is the default. */
export function ExploreLink({ to = {}, hash = "", ...rest }: Rest & { to?: Partial<Explore>; hash?: string }) {
  usePlace((place) => place);
  return <Link href={exploreAddress(to) + hash} {...rest} />;
}

/** To a unit's page; the search is kept, to come back to. "" leads back to it. */
export function UnitLink({ value, ...rest }: Rest & { value: string }) {
  usePlace((place) => place);
  return <Link href={lastExploreAddress(value)} {...rest} />;
}
