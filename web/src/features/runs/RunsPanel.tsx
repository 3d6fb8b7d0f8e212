// The history of runs: those of this visit, and those that were saved on the server.
import { useQuery } from "@tanstack/react-query";
import { Bookmark, X } from "lucide-react";
import { useEffect, useState } from "react";
import { runsQuery, useDeleteRun, useSaveRun } from "../../api/queries";
import { IconButton } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { restartEdits } from "../edits/actions";
import { formatEdit, parseEdit, type ListedEdit } from "../edits/edit";
import { useCurrentSession } from "../session/context";
import { setView } from "../view/store";
import "./runs.css";

interface PastRun {
  prompt: string;
  interventions: readonly string[];
  position: number | null;
}

const KEPT = 30;

export function RunsPanel() {
  const { view, run, trace } = useCurrentSession();
  const [recent, setRecent] = useState<PastRun[]>([]);
  const saved = useQuery(runsQuery());
  const save = useSaveRun();
  const forget = useDeleteRun();
  const current = view.edits.filter(({ enabled }) => enabled).map(formatEdit);
  const arrived = run !== null && trace.data !== undefined && !trace.isPlaceholderData;
  const key = arrived ? JSON.stringify([view.prompt, current]) : "";

  useEffect(() => {
    if (key === "") return;
    const [prompt, edits] = JSON.parse(key) as [string, string[]];
    // The list follows what the server answered.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setRecent((before) => {
      const others = before.filter((one) => JSON.stringify([one.prompt, one.interventions]) !== key);
      return [{ prompt, interventions: edits, position: null }, ...others].slice(0, KEPT);
    });
  }, [key]);

  return (
    <section className="runs" aria-labelledby="runs-title">
      <h2 id="runs-title" className="section-title">
        Runs <span className="grow" />
        <IconButton
          label="Save this run"
          className="small"
          disabled={view.prompt === "" || save.isPending}
          onClick={() =>
            save.mutate({ prompt: view.prompt, interventions: current, position: view.position ?? -1, title: "" })
          }
        >
          <Bookmark aria-hidden />
        </IconButton>
      </h2>
      {save.error && <ErrorNote failure={save.error} />}
      {forget.error && <ErrorNote failure={forget.error} />}
      <ul className="run-list" aria-label="Runs">
        {saved.data?.runs.map((one) => (
          <li key={one.id}>
            <RunButton past={{ ...one, position: one.position < 0 ? null : one.position }} saved title={one.title} />
            <IconButton label={`Forget the run ${one.prompt}`} className="small" onClick={() => forget.mutate(one.id)}>
              <X aria-hidden />
            </IconButton>
          </li>
        ))}
        {recent.map((one) => (
          <li key={JSON.stringify(one)}>
            <RunButton past={one} />
          </li>
        ))}
      </ul>
      {recent.length === 0 && saved.data?.runs.length === 0 && (
        <p className="muted">Runs are listed here, to go back to.</p>
      )}
    </section>
  );
}

function RunButton({ past, saved = false, title }: { past: PastRun; saved?: boolean; title?: string }) {
  const open = () => {
    const edits = past.interventions.flatMap((text): ListedEdit[] => {
      const found = parseEdit(text);
      return "ok" in found ? [{ ...found.ok, enabled: true }] : [];
    });
    setView({ prompt: past.prompt, edits, position: past.position, generate: 0 });
    restartEdits(edits);
  };
  return (
    <button type="button" className="run" title={past.prompt} onClick={open}>
      {saved && <Bookmark aria-label="saved" />}
      <span>
        {title || past.prompt}
        {past.interventions.length > 0 && <small className="mono">{past.interventions.join(" ")}</small>}
      </span>
    </button>
  );
}
