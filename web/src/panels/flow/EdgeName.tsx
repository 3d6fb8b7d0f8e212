// What an edge is called: its layer, and from which token to which.
import type { Flow, FlowEdge } from "../../api/types";
import { TokenText } from "../../ui/TokenText";
import css from "./flow.module.css";

export function EdgeName({ edge, tokens }: { edge: FlowEdge; tokens: Flow["tokens"] }) {
  const { kind, layer, source, target } = edge;
  const text = (position: number) => <TokenText text={tokens[position]?.text ?? ""} />;
  return (
    <span className={css.edge}>
      <b className="mono">L{layer}</b>{" "}
      {kind === "attention" ? (
        <>
          {text(source)} <span aria-label="to">→</span> {text(target)}
        </>
      ) : (
        <>
          {kind === "feed-forward" ? "feed-forward" : "mixer"} at {text(target)}
        </>
      )}
    </span>
  );
}
