// Every token of the prompt and of its continuation, tinted by surprise; a click reads out there.
import { X } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { IconButton } from "../../ui/controls";
import { Empty } from "../../ui/notes";
import { percent, short } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";
import "./tokens.css";

/** Nats of surprise that get the full tint. */
const FULL = 10;

export function TokenStrip() {
  const { tokens, promptLength, length, position, grid, generation, view } = useCurrentSession();
  const current = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // It may return a promise, which would be taken for a clean-up.
    void current.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [position]);

  if (view.prompt === "") return null;
  const surprise = grid.data?.surprise ?? [];
  const fits = grid.data !== undefined && grid.data.tokens.length === length && !grid.isPlaceholderData;
  return (
    <div className="strip">
      <div className="strip-tokens" role="group" aria-label="Tokens: choose where to read out">
        {tokens.map((token, index) => (
          <TokenButton
            key={index}
            ref={index === position ? current : undefined}
            index={index}
            text={token.text}
            surprise={fits ? (surprise[index] ?? null) : null}
            logprob={generation.tokens[index - promptLength]?.logprob ?? null}
            generated={index >= promptLength}
            selected={index === position}
            readable={index < length}
          />
        ))}
        {tokens.length === 0 && <Empty title="Cutting the prompt into tokens…" />}
        {generation.running && <span className="caret" role="status" aria-label="Generating" />}
      </div>
      {view.generate > 0 && !generation.running && (
        <IconButton
          label="Remove the continuation"
          className="small"
          onClick={() => setView({ generate: 0, position: null })}
        >
          <X aria-hidden />
        </IconButton>
      )}
    </div>
  );
}

interface TokenButtonProps {
  ref?: React.Ref<HTMLButtonElement>;
  index: number;
  text: string;
  surprise: number | null;
  logprob: number | null;
  generated: boolean;
  selected: boolean;
  readable: boolean;
}

const TokenButton = memo(function TokenButton(props: TokenButtonProps) {
  const { ref, index, text, surprise, logprob, generated, selected, readable } = props;
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
      className={generated ? "strip-token generated" : "strip-token"}
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
