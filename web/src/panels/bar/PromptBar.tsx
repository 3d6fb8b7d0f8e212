// The top bar of the debugger: model, prompt, run, generate, A and B. The prompt is one line and grows on focus.
import { Bug, Play } from "lucide-react";
import { formatEdit } from "../../domain/edit";
import { editsInForce } from "../../domain/run";
import { visible } from "../../domain/visible";
import { useRunAgain } from "../../run/again";
import { runPrompt, useDraft } from "../../run/draft";
import { continueAgain } from "../../run/generation";
import { useSessionVerbs } from "../../run/session";
import { getView, setView, useViewPart } from "../../run/view";
import { Pages } from "../links/Pages";
import { Examples } from "./Examples";
import { GenerateMenu } from "./GenerateMenu";
import { ModelBadge } from "./ModelBadge";
import { MoreMenu } from "./MoreMenu";
import { Sides } from "./Sides";
import css from "./bar.module.css";

export const COMMAND = navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl";

export function PromptBar() {
  const { text, write, unrun } = useDraft();
  const again = useRunAgain();
  const verbs = useSessionVerbs();
  const session = useViewPart("session");
  // The prompt as it is written. What was cancelled is asked for again once the page asks for this prompt: the answer
  // itself where it was run already, and what every prompt waits for, such as which lenses there are.
  const run = () => {
    runPrompt(text);
    setTimeout(again);
  };
  const trailing = /\s+$/.exec(text)?.[0];
  return (
    <header className={css.top}>
      <ModelBadge />
      <Pages />
      <div className={css.prompt} data-unrun={unrun && text !== ""}>
        <textarea
          id="prompt"
          className="field"
          aria-label="Prompt"
          aria-keyshortcuts="Control+Enter Meta+Enter"
          aria-describedby={trailing === undefined ? undefined : "prompt-warning"}
          placeholder="Write a prompt, or choose an example"
          rows={1}
          spellCheck={false}
          value={text}
          onChange={(event) => write(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
              event.preventDefault();
              run();
            }
          }}
        />
        {unrun && text !== "" && (
          <span className={css.unrun} role="status">
            not run yet
          </span>
        )}
        {trailing !== undefined && text !== "" && (
          <p id="prompt-warning" className={css.promptWarning} role="status">
            Ends with “{visible(trailing)}”: most models expect the next token to bring its own space.{" "}
            <button type="button" onClick={() => write(text.trimEnd())}>
              Remove
            </button>
          </p>
        )}
      </div>
      <Examples onChoose={runPrompt} />
      <button
        type="button"
        className={unrun ? "button primary" : "button"}
        disabled={text === ""}
        title={`Run the prompt (${COMMAND} ↵)`}
        aria-keyshortcuts="Control+Enter Meta+Enter"
        onClick={run}
      >
        <Play aria-hidden />
        Run
      </button>
      <GenerateMenu
        prompt={text}
        onGenerate={(count) => {
          runPrompt(text);
          setView({ generate: count });
          continueAgain();
        }}
      />
      <button
        id="debug"
        type="button"
        className="button icon"
        disabled={text === "" || session !== ""}
        aria-label="Debug"
        title="Generate until a breakpoint, and pause there"
        onClick={() => {
          run();
          verbs.begin(editsInForce(getView().edits).map(formatEdit), getView().breakpoints.length > 0);
        }}
      >
        <Bug aria-hidden />
      </button>
      <Sides />
      <MoreMenu command={COMMAND} />
    </header>
  );
}
