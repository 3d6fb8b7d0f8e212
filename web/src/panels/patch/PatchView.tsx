// Another run's activations in place of this one's: the question, and its answer as a map. Which part is replaced, or the
// search for the place where the answer tips.
import { useState } from "react";
import { useRunAgain } from "../../run/again";
import { useCompared, useOtherModel } from "../../run/usePatch";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import { TokenText } from "../../ui/TokenText";
import { BisectAnswer } from "./BisectAnswer";
import { BisectQuestion } from "./BisectQuestion";
import { PatchAnswer } from "./PatchAnswer";
import { PathAnswer } from "./PathAnswer";
import { PathQuestion } from "./PathQuestion";
import css from "./patch.module.css";

export function PatchView() {
  const { source, part, aPrompt, prompt } = useView();
  const { read, position, tokens, compared } = useCompared();
  const { other, chosen } = useOtherModel();
  const [text, setText] = useState(source || (part === "bisect" || aPrompt === prompt ? "" : aPrompt));
  const again = useRunAgain();
  const moved = read !== position;
  const models = part === "bisect" && chosen !== null;
  return (
    <div className={css.patch}>
      <form
        className={css.ask}
        onSubmit={(event) => {
          event.preventDefault();
          if (models && moved) setView({ read: null });
          else if (!models && (text !== source || moved)) setView({ source: text, read: null });
          else again();
        }}
      >
        {models ? (
          <span className={css.going}>
            both models go on from <TokenText text={tokens[read]?.text ?? ""} /> {read} until a token differs
          </span>
        ) : (
          <>
            <label htmlFor="patch-from" className="muted">
              from
            </label>
            <input
              id="patch-from"
              className="field mono"
              placeholder={
                part === "bisect" && compared ? "A and B, or another prompt" : "another prompt, best of the same length"
              }
              autoComplete="off"
              spellCheck={false}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </>
        )}
        <button
          type="submit"
          className="button small"
          disabled={text === "" && part !== "bisect"}
          title={moved ? "Ask for the prediction after the chosen token" : undefined}
        >
          {part === "bisect" ? "Bisect" : "Patch"}
        </button>
        <Segments
          label="Part that is patched"
          value={part}
          options={[
            { value: "residual", label: "Residual", title: "The stream after a layer" },
            { value: "attention", label: "Attention", title: "What its attention gives" },
            { value: "ffn", label: "Feed-forward", title: "What its feed-forward gives" },
            { value: "heads", label: "Heads", title: "What one head gives, at all positions" },
            { value: "paths", label: "Paths", title: "What one part reads of an earlier one, all else held" },
            { value: "bisect", label: "Bisect", title: "The layer, the part and the units at which the answer tips" },
          ]}
          onChange={(next) => setView({ part: next })}
        />
      </form>
      {part === "paths" && <PathQuestion />}
      {part === "bisect" && other !== null && <BisectQuestion other={other} />}
      {moved && !models && (
        <p className={css.said}>
          <span className="muted">
            the prediction after <TokenText text={tokens[read]?.text ?? ""} /> {read}
          </span>
        </p>
      )}
      {part === "bisect" ? <BisectAnswer /> : part === "paths" ? <PathAnswer /> : <PatchAnswer part={part} />}
    </div>
  );
}
