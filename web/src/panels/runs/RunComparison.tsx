// The most probable next tokens of another run beside those of the one that is shown.
import { useQuery } from "@tanstack/react-query";
import { traceQuery } from "../../api/queries";
import type { TokenScore } from "../../api/types";
import { Empty, ErrorNote } from "../../ui/notes";
import { percent, points } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { useCurrentSession } from "../../run/context";
import { readView } from "../../domain/view";
import type { RunNode } from "../../domain/tree";

const LISTED = 10;
const COMPARED = 5;

export function RunComparison({ node }: { node: RunNode }) {
  const { view, trace, position } = useCurrentSession();
  const there = node.prompt === view.prompt ? position : (readView(node.view).position ?? -1);
  const run = { prompt: node.prompt, interventions: [...node.interventions] };
  const other = useQuery(traceQuery(run, there, LISTED));
  if (other.error) return <ErrorNote failure={other.error} />;
  if (other.data === undefined || trace.data === undefined) return <Empty title="Reading the other run…" />;
  const rows = sideBySide(other.data.output, trace.data.output);
  return (
    <table className="run-comparison" aria-label="Next tokens of both runs">
      <thead>
        <tr>
          <th scope="col">next token</th>
          <th scope="col">that run</th>
          <th scope="col">this</th>
          <th scope="col">Δ</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, text, that, now }) => (
          <tr key={id}>
            <th scope="row">
              <TokenText text={text} />
            </th>
            <td>{that === undefined ? "–" : percent(that)}</td>
            <td>{now === undefined ? "–" : percent(now)}</td>
            <td>{that === undefined || now === undefined ? "" : points(now - that)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The first few tokens of either list; a probability beyond the end of the other list is not known. */
function sideBySide(those: readonly TokenScore[], these: readonly TokenScore[]) {
  const first = [...these.slice(0, COMPARED), ...those.slice(0, COMPARED)];
  const texts = new Map(first.map(({ id, text }) => [id, text]));
  const probability = (scores: readonly TokenScore[], id: number) =>
    scores.find((score) => score.id === id)?.probability;
  return [...texts].map(([id, text]) => ({ id, text, that: probability(those, id), now: probability(these, id) }));
}
