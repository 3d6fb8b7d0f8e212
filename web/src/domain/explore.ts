// The one table of the Explore page's state: what each piece is called in the URL, its default and its encoding. Pure.
import { choice, flag, initialOf, pair, place, readFields, text, texts, writeFields, type StateOf } from "./fields";

export const FIELDS = {
  tab: choice("tab", ["search", "clusters"]),
  /** Keywords, or `like`: a value vector to find others like it, or `residual`: a place whose writers are sought. */
  q: text("q"),
  like: text("like"),
  /** Position and layer of a residual stream of the prediction view's run. */
  residual: pair("resid", "."),
  /** Another prompt, whose residual stream is to be told apart from that one. */
  against: text("against"),
  unwanted: text("unwanted"),
  match: choice("match", ["all", "any"]),
  /** Keys of forms that do not count. */
  skip: texts("skip"),
  layers: pair("layers", "-"),
  sign: choice("sign", ["both", "+", "-"]),
  expert: place("expert"),
  named: flag("named"),
  /** The lens through which vectors are seen. */
  through: text("through"),
  limit: choice("limit", ["20", "50", "100"]),
  cluster: place("cluster"),
  clusterSort: text("cluster_sort"),
  clusterFilter: text("cluster_filter"),
} as const;

export type Explore = StateOf<typeof FIELDS>;

export const INITIAL: Explore = initialOf(FIELDS);
export const readExplore = (query: string): Explore => readFields(FIELDS, query);
export const writeExplore = (state: Explore): string => writeFields(FIELDS, state);
