// What is bisected where the server has another model: two runs of this one, or this one against the other, and how far.
import { useState } from "react";
import { MOST_BISECTED, nameOf } from "../../domain/bisect";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import css from "./patch.module.css";

export function BisectQuestion({ other }: { other: string }) {
  const { between, most } = useView();
  return (
    <div className={css.ask}>
      <span className="muted">compare</span>
      <Segments
        label="What is bisected"
        value={between}
        options={[
          { value: "runs", label: "A and B, or another prompt" },
          { value: "models", label: `This model against ${nameOf(other)}`, title: other },
        ]}
        onChange={(next) => setView({ between: next })}
      />
      {between === "models" && <Most key={most} most={most} />}
    </div>
  );
}

/** The number is asked for once it is written: each answer is the work of seconds. */
function Most({ most }: { most: number }) {
  const [count, setCount] = useState(most);
  const valid = Number.isInteger(count) && count >= 0 && count <= MOST_BISECTED;
  const ask = () => (valid ? setView({ most: count }) : setCount(most));
  return (
    <form
      className={css.most}
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <label htmlFor="most" className="muted">
        over at most
      </label>
      <input
        id="most"
        className="field"
        type="number"
        min={0}
        max={MOST_BISECTED}
        title="0 compares the next token only"
        value={Number.isNaN(count) ? "" : count}
        onChange={(event) => setCount(event.target.valueAsNumber)}
        onBlur={ask}
      />
      <span className="muted">tokens</span>
    </form>
  );
}
