// The history of runs as a tree: this browser's, and those that users keep on the server. Notes what the page shows.
import { useQuery } from "@tanstack/react-query";
import { Bookmark, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { runsQuery } from "../../api/queries";
import { IconButton } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { useCurrentSession } from "../../run/context";
import { contentOf, type Seen } from "../../domain/history";
import { viewOf } from "../../run/restore";
import { RunItem } from "./RunItem";
import { forgetAll, remember, usePast } from "../../run/past";
import { treeOf, type RunNode } from "../../domain/tree";
import { useRunActions } from "../../run/useRunActions";
import "./runs.css";

export function RunsPanel() {
  const { view, run, interventions, settled, trace } = useCurrentSession();
  const [compared, setCompared] = useState<string | null>(null);
  const data = run !== null && settled && !trace.isPlaceholderData ? trace.data : undefined;
  const [model, setModel] = useState(data?.model.fingerprint);
  if (data !== undefined && data.model.fingerprint !== model) setModel(data.model.fingerprint);
  const past = usePast(model);
  const saved = useQuery(runsQuery());
  const roots = useMemo(() => treeOf(past.runs, saved.data?.runs ?? []), [past.runs, saved.data]);
  const actions = useRunActions(model);

  const content = contentOf({ prompt: view.prompt, interventions });
  // A run that was answered is there already when another position or list of it is asked for.
  const known = past.runs.some((one) => one.key === past.current && contentOf(one) === content);
  const first = data?.output[0];
  const best = first === undefined ? null : { text: first.text, probability: first.probability };
  const worth = settled && (data !== undefined || known);
  const seen = worth ? JSON.stringify({ prompt: view.prompt, interventions, view: viewOf(view), best }) : "";
  useEffect(() => {
    if (model !== undefined && seen !== "") remember(model, JSON.parse(seen) as Seen);
  }, [model, seen]);

  const current = find(roots, content);
  return (
    <section className="runs" aria-labelledby="runs-title">
      <h2 id="runs-title" className="section-title">
        Runs <span className="grow" />
        <IconButton
          label="Save this run"
          className="small"
          disabled={current === null || current.saved !== null || actions.busy}
          onClick={() => current !== null && actions.save(current)}
        >
          <Bookmark aria-hidden />
        </IconButton>
        <IconButton
          label="Clear the history; saved runs stay"
          className="small"
          disabled={past.runs.length === 0}
          onClick={() => model !== undefined && forgetAll(model)}
        >
          <Trash2 aria-hidden />
        </IconButton>
      </h2>
      {actions.error !== null && <ErrorNote failure={actions.error} />}
      <ul className="run-list" aria-label="Runs">
        {roots.map((node) => (
          <RunItem
            key={node.key}
            node={node}
            current={current?.key ?? null}
            compared={compared}
            onCompare={(key) => setCompared(key === compared ? null : key)}
            actions={actions}
          />
        ))}
      </ul>
      {roots.length === 0 && <p className="muted">Runs are listed here, to go back to.</p>}
    </section>
  );
}

function find(nodes: readonly RunNode[], content: string): RunNode | null {
  for (const node of nodes) {
    const found = contentOf(node) === content ? node : find(node.children, content);
    if (found !== null) return found;
  }
  return null;
}
