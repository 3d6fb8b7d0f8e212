// The continuation with the edits beside the one without, token by token; where they part is marked.
import type { GeneratedToken } from "../../api/types";
import { ErrorNote, Warning } from "../../ui/notes";
import { percent, short } from "../../ui/numbers";
import { TokenText } from "../../ui/TokenText";
import { useCurrentSession } from "../session/context";
import "./generation.css";

export function Continuations() {
  const { generation, edited, view } = useCurrentSession();
  if (view.generate === 0) return null;
  const { result, tokens, error } = generation;
  const baseline = edited ? (result?.baseline ?? null) : null;
  if (error === null && baseline === null && !(edited && generation.running)) return null;
  const parted = baseline === null ? -1 : firstDifference(tokens, baseline.tokens);
  return (
    <section className="continuations" aria-label="Continuations">
      {error !== null && <ErrorNote failure={error} />}
      {edited && (
        <dl>
          <dt>base</dt>
          <dd>
            {baseline === null ? (
              <span className="muted">follows when the edited continuation is there…</span>
            ) : (
              <Line tokens={baseline.tokens} parted={parted} />
            )}
          </dd>
          <dt>edited</dt>
          <dd>
            <Line tokens={tokens} parted={parted} />
          </dd>
        </dl>
      )}
      {result?.warnings?.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
    </section>
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
          className={parted >= 0 && index >= parted ? "continued parted" : "continued"}
          title={`log-probability ${short(logprob)} (${percent(Math.exp(logprob))})`}
        >
          <TokenText text={text} />
        </span>
      ))}
    </>
  );
}
