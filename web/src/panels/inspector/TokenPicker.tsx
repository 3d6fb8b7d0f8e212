// Chooses a token: one of those that the prediction lists, or any by its text.
import { useQueryClient } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { Popover as P } from "radix-ui";
import { useState } from "react";
import { tokensQuery } from "../../api/queries";
import { asApiError } from "../../domain/failure";
import { visible } from "../../domain/visible";
import { nameToken, type Target } from "../../run/target";
import { Popover } from "../../ui/controls";
import { TokenText } from "../../ui/TokenText";
import css from "./inspector.module.css";

interface Props {
  label: string;
  chosen: Target | null;
  tokens: readonly Target[];
  /** What choosing none is called, where that is possible. */
  none?: string;
  /** One of a group that is reached by arrow keys. */
  rove?: boolean;
  onChoose: (id: number | null) => void;
}

export function TokenPicker({ label, chosen, tokens, none, rove = false, onChoose }: Props) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [said, say] = useState("");
  const listed = [...new Map(tokens.map((token) => [token.id, token])).values()].slice(0, 12);
  const find = async (close: () => void) => {
    try {
      const found = (await client.fetchQuery(tokensQuery(text, false))).tokens;
      const [first] = found;
      if (first === undefined) return;
      nameToken(first.id, first.text);
      onChoose(first.id);
      setText("");
      if (found.length > 1) say(`The first of its ${found.length} tokens is explained.`);
      else close();
    } catch (failure) {
      say(asApiError(failure).what);
    }
  };
  const trigger = (
    <button
      type="button"
      className={`button small ${css.picker}`}
      aria-label={`${label}: ${name(chosen, none)}`}
      {...(rove ? { "data-rove": true, tabIndex: -1 } : {})}
    >
      {chosen === null ? <span className="muted">{none}</span> : <TokenText text={chosen.text} />}
      <ChevronDown aria-hidden />
    </button>
  );
  return (
    <Popover label={label} trigger={trigger}>
      <form
        className={css.find}
        onSubmit={(event) => {
          event.preventDefault();
          const close = () => document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
          if (text !== "") void find(close);
        }}
      >
        <input
          className="field mono"
          aria-label={`${label} a token by its text`}
          placeholder="token; words begin with a space"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {said !== "" && <p role="status">{said}</p>}
      </form>
      <ul className={css.choices}>
        {none !== undefined && (
          <li>
            <P.Close asChild>
              <button type="button" className="menu-item" onClick={() => onChoose(null)}>
                {none}
              </button>
            </P.Close>
          </li>
        )}
        {listed.map(({ id, text: token }) => (
          <li key={id}>
            <P.Close asChild>
              <button type="button" className="menu-item" aria-pressed={id === chosen?.id} onClick={() => onChoose(id)}>
                <TokenText text={token} />
              </button>
            </P.Close>
          </li>
        ))}
      </ul>
    </Popover>
  );
}

const name = (chosen: Target | null, none = "nothing"): string => (chosen === null ? none : visible(chosen.text));
