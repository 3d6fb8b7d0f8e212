// What the page asks of the search over all value vectors, as TanStack queries.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request } from "./client";
import { bare, type Run } from "../domain/run";
import type { PostBody, SearchAnswer } from "./types";

/** Which vectors may be found, and how many. */
export interface SearchFilter {
  layers: readonly [number, number] | null;
  sign: "both" | "+" | "-";
  expert: number | null;
  named: boolean;
  limit: number;
  /** Through which vectors are seen; "" for the server's own. */
  lens: string;
}

/** A position of a run, whose residual stream after a layer is read. */
export interface Residual {
  run: Run;
  position: number;
  layer: number;
  against: { run: Run; position: number } | null;
}

/** Keywords, or a vector whose likes are sought, or a residual stream whose writers are. */
export type Sought =
  | { q: string; unwanted: string; match: "all" | "any"; skip: readonly string[] }
  | { like: string }
  | { residual: Residual };

const layersText = ([first, last]: readonly [number, number]): string => `${first}-${last}`;

function ask(sought: Sought, filter: SearchFilter, signal: AbortSignal): Promise<SearchAnswer> {
  const { layers, sign, expert, named, limit, lens } = filter;
  if ("residual" in sought) {
    const { run, position, layer, against } = sought.residual;
    const body: PostBody<"/api/search"> = {
      ...run,
      position,
      layer,
      against: against === null ? null : { prompt: null, ids: null, ...bare(against.run), position: against.position },
      layers: layers === null ? null : layersText(layers),
      sign,
      expert,
      named,
      limit,
    };
    return request<SearchAnswer>("POST", "api/search", { body, signal });
  }
  const parameters = new URLSearchParams({ sign, named: String(named), limit: String(limit) });
  if (lens !== "") parameters.set("lens", lens);
  if ("like" in sought) parameters.set("like", sought.like);
  else {
    parameters.set("q", sought.q);
    parameters.set("unwanted", sought.unwanted);
    parameters.set("match", sought.match);
    for (const key of sought.skip) parameters.append("skip", key);
  }
  if (layers !== null) parameters.set("layers", layersText(layers));
  if (expert !== null) parameters.set("expert", String(expert));
  return request<SearchAnswer>("GET", `api/search?${parameters}`, { signal });
}

export const searchQuery = (sought: Sought | null, filter: SearchFilter) =>
  queryOptions({
    queryKey: ["search", sought, filter],
    queryFn: ({ signal }) => {
      if (sought === null) throw new Error("Nothing is sought.");
      return ask(sought, filter, signal);
    },
    enabled: sought !== null,
    staleTime: 60_000,
    gcTime: 120_000,
    placeholderData: keepPreviousData,
  });
