// The top bar: model, prompt, run, generate, share. The draft of the prompt lives here; Trace makes it the view's.
import { CircleHelp, Link2, Play, Square } from "lucide-react";
import { useRef, useState } from "react";
import { IconButton } from "../../ui/controls";
import { ThemeToggle } from "../../ui/ThemeToggle";
import { visible } from "../../domain/visible";
import { Pages } from "../links/Pages";
import { GenerateMenu } from "./GenerateMenu";
import { ModelBadge } from "./ModelBadge";
import { useCurrentSession } from "../../run/context";
import { addressOf, getView, setView } from "../../run/view";
import { Examples } from "./Examples";
import "./prompt.css";

/** Make a text the traced prompt: the places and the continuation of the old one do not apply to it. */
export function tracePrompt(prompt: string): void {
  if (prompt === getView().prompt) return;
  setView({ prompt, position: null, generate: 0, followed: [] });
}

/** What was written but not traced yet: it is still there after a visit to the Explore page. */
let leftBehind = { of: "", text: "" };

export function PromptBar({ onHelp }: { onHelp: () => void }) {
  const { view, generation } = useCurrentSession();
  const [draft, setDraft] = useState(leftBehind);
  const editor = useRef<HTMLTextAreaElement>(null);
  // When the view's prompt changes elsewhere (an example, a run, the back button), the draft follows.
  const text = draft.of === view.prompt ? draft.text : view.prompt;
  const write = (next: string) => setDraft((leftBehind = { of: view.prompt, text: next }));
  const trailing = /\s+$/.exec(text)?.[0];

  return (
    <header className="top">
      <ModelBadge />
      <Pages />
      <div className="prompt">
        <textarea
          ref={editor}
          id="prompt"
          className="field"
          aria-label="Prompt"
          aria-keyshortcuts="Control+Enter Meta+Enter"
          aria-describedby={trailing === undefined ? undefined : "prompt-warning"}
          placeholder="Write a prompt, or choose an example"
          rows={Math.min(6, text.split("\n").length)}
          spellCheck={false}
          value={text}
          onChange={(event) => write(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
              event.preventDefault();
              tracePrompt(text);
            }
          }}
        />
        {trailing !== undefined && text !== "" && (
          <p id="prompt-warning" className="prompt-warning" role="status">
            Ends with “{visible(trailing)}”: most models expect the next token to bring its own space.{" "}
            <button type="button" onClick={() => write(text.trimEnd())}>
              Remove
            </button>
          </p>
        )}
      </div>
      <Examples onChoose={tracePrompt} />
      <button
        type="button"
        className="button primary"
        disabled={text === ""}
        aria-keyshortcuts="Control+Enter Meta+Enter"
        onClick={() => tracePrompt(text)}
      >
        <Play aria-hidden />
        Trace <kbd>{navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl"}↵</kbd>
      </button>
      {generation.running ? (
        <button type="button" className="button danger" onClick={generation.stop}>
          <Square aria-hidden />
          Stop
        </button>
      ) : (
        <GenerateMenu
          prompt={text}
          onGenerate={(count) => {
            tracePrompt(text);
            setView({ generate: count });
          }}
        />
      )}
      <div className="top-tools">
        <Share />
        <ThemeToggle />
        <IconButton label="Keyboard shortcuts" hint="?" onClick={onHelp}>
          <CircleHelp aria-hidden />
        </IconButton>
      </div>
    </header>
  );
}

function Share() {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const address = new URL(addressOf(getView()), location.href).href;
    await navigator.clipboard.writeText(address).catch(() => window.prompt("Copy this address:", address));
    setCopied(true);
    setTimeout(() => setCopied(false), 1600);
  };
  return (
    <>
      <IconButton label="Copy a link to this view" onClick={() => void copy()}>
        <Link2 aria-hidden />
      </IconButton>
      <span role="status" className={copied ? "copied" : "hidden"}>
        {copied ? "Link copied" : ""}
      </span>
    </>
  );
}
