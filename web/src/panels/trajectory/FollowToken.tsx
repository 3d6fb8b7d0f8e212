// A box to follow any token by its text; the server's tokenizer finds its id.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { tokensQuery } from "../../api/queries";
import { asApiError } from "../../api/client";
import { useFollowed } from "../../run/follow";
import css from "./trajectory.module.css";

export function FollowToken() {
  const client = useQueryClient();
  const followed = useFollowed();
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const follow = async () => {
    try {
      const { tokens } = await client.fetchQuery(tokensQuery(text, false));
      const first = tokens[0];
      if (first === undefined) return;
      if (!followed.ids.includes(first.id)) followed.toggle(first.id);
      setText("");
      setError(tokens.length > 1 ? `Followed the first of its ${tokens.length} tokens.` : "");
    } catch (failure) {
      setError(asApiError(failure).what);
    }
  };
  return (
    <form
      className={css.follow}
      onSubmit={(event) => {
        event.preventDefault();
        if (text !== "") void follow();
      }}
    >
      <input
        className="field mono"
        aria-label="Follow a token by its text"
        title="Most words begin with a space"
        placeholder="+ token"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <span className="muted" role="status">
        {error}
      </span>
    </form>
  );
}
