// Addresses of the page: paths and queries. Pure.

/** The path of the page for exploring, with everything below it. */
export const EXPLORE = "/explore";

/** The path of a unit's page; "" for the tabs. */
export const pathOf = (unit: string): string => (unit === "" ? EXPLORE : `${EXPLORE}/${encodeURIComponent(unit)}`);

/** A path with queries joined to it; empty ones are left out. */
export function withQuery(path: string, ...queries: string[]): string {
  const query = queries.filter((one) => one !== "").join("&");
  return query === "" ? path : `${path}?${query}`;
}
