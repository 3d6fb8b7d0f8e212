// The flow to the chosen prediction: tokens across, layers from the last down, the strongest edges. One is looked at beside
// it; a route that is pinned stays whatever the threshold is.
import { LEAST, useFlow } from "../../run/useFlow";
import { useViewPart } from "../../run/view";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { Cancelled } from "../shell/Waiting";
import { EdgeDetails } from "./EdgeDetails";
import { EdgeList } from "./EdgeList";
import { FlowChart } from "./FlowChart";
import css from "./flow.module.css";

export function FlowView() {
  const shown = useFlow();
  const pins = useViewPart("pins");
  const { flow, failure, stopped, looked, waiting } = shown;
  if (failure !== null) return <ErrorNote failure={failure} onRetry={shown.retry} />;
  if (stopped) return <Cancelled />;
  if (flow === undefined) return <Empty title="Following the flow back to the tokens…" />;
  return (
    <div className={css.flow} data-stale={waiting} aria-busy={waiting}>
      <FlowChart shown={shown} flow={flow} />
      <aside className={css.beside} aria-label="Edges">
        {flow.warnings.map((warning) => (
          <Warning key={warning}>{warning}</Warning>
        ))}
        {looked === null ? (
          <EdgeList shown={shown} flow={flow} least={LEAST} />
        ) : (
          <EdgeDetails edge={looked} shown={shown} flow={flow} pins={pins} />
        )}
      </aside>
    </div>
  );
}
