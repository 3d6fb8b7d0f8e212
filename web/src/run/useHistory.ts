// The runs of this browser and those kept on the server, as a tree; and takes note of what the page shows.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { runsQuery } from "../api/queries";
import { contentOf, type Seen } from "../domain/history";
import { treeOf, type RunNode } from "../domain/tree";
import { remember, usePast } from "./past";
import { viewOf } from "./restore";
import { useTrace } from "./useTrace";
import { useView } from "./view";

export interface History {
  model: string | undefined;
  roots: readonly RunNode[];
  /** The run that is shown. */
  current: RunNode | null;
  /** How many runs this browser remembers. */
  remembered: number;
}

export function useHistory(): History {
  const view = useView();
  const { data: found, b, interventions, settled, stale } = useTrace();
  const data = b !== null && settled && !stale ? found : undefined;
  const [model, setModel] = useState(data?.model.fingerprint);
  if (data !== undefined && data.model.fingerprint !== model) setModel(data.model.fingerprint);
  const past = usePast(model);
  const saved = useQuery(runsQuery());
  const roots = useMemo(() => treeOf(past.runs, saved.data?.runs ?? []), [past.runs, saved.data]);

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
  return { model, roots, current: find(roots, content), remembered: past.runs.length };
}

function find(nodes: readonly RunNode[], content: string): RunNode | null {
  for (const node of nodes) {
    const found = contentOf(node) === content ? node : find(node.children, content);
    if (found !== null) return found;
  }
  return null;
}
