// What is bisected where the server has another model: two runs of this one, or this one against the other.
import { nameOf } from "../../domain/bisect";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import css from "./patch.module.css";

export function BisectQuestion({ other }: { other: string }) {
  const { between } = useView();
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
    </div>
  );
}
