// Which paths are patched: the part that reads, what it reads, and what is computed anew between the two.
import { useState } from "react";
import { canonicalName } from "../../domain/names";
import { OUTPUT } from "../../run/usePatch";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import css from "./patch.module.css";

export function PathQuestion() {
  const { receiver, sender, through, value, layer } = useView();
  return (
    <div className={css.ask}>
      <Receiver key={receiver} receiver={receiver || OUTPUT} proposed={[value, layer]} />
      <span className="muted">reads</span>
      <Segments
        label="What it reads"
        value={sender}
        options={[
          { value: "heads", label: "Heads" },
          { value: "ffn", label: "Feed-forwards" },
        ]}
        onChange={(next) => setView({ sender: next })}
      />
      <span className="muted">between them</span>
      <Segments
        label="Computed anew between them"
        value={through}
        options={[
          { value: "nothing", label: "all held", title: "The direct path alone" },
          { value: "ffn", label: "feed-forwards anew", title: "Takes longer" },
        ]}
        onChange={(next) => setView({ through: next })}
      />
    </div>
  );
}

interface Props {
  receiver: string;
  /** The unit that is looked at, and the layer. */
  proposed: [string, number | null];
}

/** Any part by its name; what is chosen elsewhere on the page is proposed. */
function Receiver({ receiver, proposed: [unit, layer] }: Props) {
  const [text, setText] = useState(receiver);
  const names = [
    OUTPUT,
    ...(unit === "" ? [] : [unit]),
    ...(layer === null ? [] : [`L${layer} attention`, `L${layer} ffn`]),
  ];
  const ask = () => setView({ receiver: text.trim() === OUTPUT ? "" : (canonicalName(text) ?? text.trim()) });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <input
        className={`field mono ${css.receiver}`}
        aria-label="The part that reads"
        title="L12H3, L12D345, L12 attention, L12 ffn or output"
        list="receivers"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => text.trim() !== "" && ask()}
      />
      <datalist id="receivers">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </form>
  );
}
