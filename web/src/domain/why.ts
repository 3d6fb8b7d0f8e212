// What an answer to why says in words. Pure.
import type { Token, WhyPart } from "../api/types";
import { signed } from "./numbers";
import { visible } from "./visible";

type Sources = NonNullable<WhyPart["sources"]>;

/** Sources told: the largest; the tokens that brought next to nothing beside it are left out. */
const MOST = 3;
const SHARE = 0.05;

/** What a head brought from which tokens, the largest first: `·France +2.9, ·is −0.31`. */
export function sourcesSaid(sources: Sources, tokens: readonly Pick<Token, "position" | "text">[]): string {
  const sorted = [...sources].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  const least = Math.abs(sorted[0]?.effect ?? 0) * SHARE;
  const texts = new Map(tokens.map(({ position, text }) => [position, visible(text)]));
  return sorted
    .slice(0, MOST)
    .filter(({ effect }) => Math.abs(effect) >= least)
    .map(({ position, effect }) => `${texts.get(position) ?? ""} ${position} ${signed(effect)}`.trim())
    .join(", ");
}
