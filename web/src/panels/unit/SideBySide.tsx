// Two continuations token by token, without edits and with them; where they part is marked.
import type { GeneratedToken } from "../../api/types";
import { percent, short } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import css from "./side.module.css";

interface Props {
  base: readonly GeneratedToken[] | null;
  edited: readonly GeneratedToken[];
}

export function SideBySide({ base, edited }: Props) {
  const parted = base === null ? -1 : firstDifference(edited, base);
  return (
    <dl className={css.sideBySide}>
      <dt>without</dt>
      <dd>{base === null ? <span className="muted">follows…</span> : <Line tokens={base} parted={parted} />}</dd>
      <dt>with</dt>
      <dd>
        <Line tokens={edited} parted={parted} />
      </dd>
    </dl>
  );
}

function firstDifference(a: readonly GeneratedToken[], b: readonly GeneratedToken[]): number {
  const found = a.findIndex(({ id }, index) => b[index]?.id !== id);
  return found < 0 && a.length < b.length ? a.length : found;
}

function Line({ tokens, parted }: { tokens: readonly GeneratedToken[]; parted: number }) {
  return (
    <>
      {tokens.map(({ text, logprob }, index) => (
        <span
          key={index}
          className={parted >= 0 && index >= parted ? `${css.continued} ${css.parted}` : css.continued}
          title={`log-probability ${short(logprob)} (${percent(Math.exp(logprob))})`}
        >
          <TokenText text={text} />
        </span>
      ))}
    </>
  );
}
