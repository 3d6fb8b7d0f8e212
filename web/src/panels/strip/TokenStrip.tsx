// Every token of the prompt and of its continuation, tinted by surprise; a click reads out there. A's continuation has a
// lane of its own, from where it parts.
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { percent, short } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { continueAgain, useGeneration } from "../../run/generation";
import { useSessionWork } from "../../run/session";
import { useLanes } from "../../run/useLanes";
import { useSurprise } from "../../run/useSurprise";
import { useTrace } from "../../run/useTrace";
import { setView, useViewPart } from "../../run/view";
import { IconButton } from "../../ui/controls";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { TokenText } from "../../ui/TokenText";
import css from "./strip.module.css";

/** Nats of surprise that get the full tint. */
const FULL = 10;
/** More tokens than this may be more than three lines. */
const MANY = 60;

export function TokenStrip() {
  const generate = useViewPart("generate");
  const { tokens, generated, promptLength, length, position, stale, compared } = useTrace();
  const { running: generating, error, warnings } = useGeneration();
  const running = useSessionWork().busy || generating;
  const { a, waiting, alike } = useLanes();
  const surprise = useSurprise();
  const group = useRoving<HTMLDivElement>();
  const current = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    // It may return a promise, which would be taken for a clean-up.
    void current.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [position]);
  const parted = a === null ? Infinity : promptLength + alike;
  const parts = a !== null && (alike < a.length || alike < generated.length);
  return (
    <section className={css.strip} aria-label="Tokens" data-stale={stale}>
      <div className={css.line}>
        {compared && <b className={css.lane}>B</b>}
        <div
          ref={group}
          className={css.tokens}
          data-open={open}
          role="group"
          aria-label="Tokens: choose where to read out"
        >
          {tokens.map((token, index) => (
            <TokenButton
              key={index}
              ref={index === position ? current : undefined}
              index={index}
              text={token.text}
              surprise={surprise.get(index) ?? null}
              logprob={generated[index - promptLength]?.logprob ?? null}
              generated={index >= promptLength}
              parted={index >= parted}
              selected={index === position}
              readable={index < length}
            />
          ))}
          {tokens.length === 0 && <Empty title="Cutting the prompt into tokens…" />}
          {running && <span className={css.caret} role="status" aria-label="Generating" />}
        </div>
        {tokens.length > MANY && (
          <button
            type="button"
            className="button small quiet"
            aria-expanded={open}
            title={open ? "Three lines" : "More lines"}
            onClick={() => setOpen(!open)}
          >
            {tokens.length} tokens {open ? <ChevronUp aria-hidden /> : <ChevronDown aria-hidden />}
          </button>
        )}
        {generate > 0 && !running && (
          <IconButton
            label="Remove the continuation"
            className="small"
            onClick={() => setView({ generate: 0, position: null })}
          >
            <X aria-hidden />
          </IconButton>
        )}
      </div>
      {(parts || waiting) && (
        <div className={css.line} role="group" aria-label="Continuation of A">
          <b className={css.lane}>A</b>
          <p className={css.other}>
            {a === null ? (
              <span className="muted">continuing without the edits…</span>
            ) : (
              <>
                <span className="muted">
                  {alike === 0 ? "from the first generated token" : `from generated token ${alike + 1}`} ┗{" "}
                </span>
                {a.slice(alike).map(({ text, logprob }, index) => (
                  <span
                    key={index}
                    className={css.continued}
                    title={`log-probability ${short(logprob)} (${percent(Math.exp(logprob))})`}
                  >
                    <TokenText text={text} />
                  </span>
                ))}
              </>
            )}
          </p>
        </div>
      )}
      {a !== null && !parts && <p className={css.same}>A continues in the same way.</p>}
      {error !== null && <ErrorNote failure={error} onRetry={continueAgain} />}
      {warnings.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
    </section>
  );
}

interface TokenButtonProps {
  ref?: React.Ref<HTMLButtonElement>;
  index: number;
  text: string;
  surprise: number | null;
  logprob: number | null;
  generated: boolean;
  /** Whether A says something else from here on. */
  parted: boolean;
  selected: boolean;
  readable: boolean;
}

const TokenButton = memo(function TokenButton(props: TokenButtonProps) {
  const { ref, index, text, surprise, logprob, generated, parted, selected, readable } = props;
  const nats = surprise ?? (logprob === null ? null : -logprob);
  const facts = [
    `Position ${index}${generated ? ", generated" : ""}`,
    nats === null ? "" : `probability ${percent(Math.exp(-nats))}, surprise ${short(nats)} nats`,
    logprob === null ? "" : `log-probability ${short(logprob)}`,
  ].filter(Boolean);
  return (
    <button
      ref={ref}
      type="button"
      className={css.token}
      data-rove
      tabIndex={-1}
      data-generated={generated}
      data-parted={parted}
      aria-pressed={selected}
      aria-label={`${visible(text)}. ${facts.join(". ")}`}
      title={facts.join("\n")}
      disabled={!readable}
      style={nats === null ? undefined : { background: `rgb(var(--surprise) / ${Math.min(nats / FULL, 1) * 0.5})` }}
      onClick={() => setView({ position: index })}
    >
      <TokenText text={text} />
    </button>
  );
});
