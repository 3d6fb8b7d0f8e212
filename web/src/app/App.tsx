// Joins the features into the page: what stands where. Waits until the server has its model.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { healthQuery } from "../api/queries";
import { EditsPanel } from "../features/edits/EditsPanel";
import { Continuations } from "../features/generation/Continuations";
import { LayerPanels } from "../features/layers/LayerPanels";
import { Starting } from "../features/model/Starting";
import { Output } from "../features/output/Output";
import { PromptBar } from "../features/prompt/PromptBar";
import { RunsPanel } from "../features/runs/RunsPanel";
import { SessionContext } from "../features/session/context";
import { useSession } from "../features/session/useSession";
import { TokenStrip } from "../features/tokens/TokenStrip";
import { ValueDetails } from "../features/values/ValueDetails";
import { ErrorNote } from "../ui/notes";
import { Busy } from "./Busy";
import { Overview } from "./Overview";
import { Shortcuts } from "./Shortcuts";
import { useShortcuts } from "./useShortcuts";
import { Welcome } from "./Welcome";
import "./app.css";

export function App() {
  const health = useQuery(healthQuery());
  const [wasReady, setWasReady] = useState(false);
  const ready = health.data?.status === "ready";
  if (ready && !wasReady) setWasReady(true);
  const session = useSession(wasReady);
  const [help, setHelp] = useState(false);
  useShortcuts(session, () => setHelp(true));
  const { view, cutError } = session;

  return (
    <SessionContext value={session}>
      <div className="page">
        <PromptBar onHelp={() => setHelp(true)} />
        <Busy />
        {health.error && wasReady && <ErrorNote failure={health.error} />}
        {!wasReady ? (
          <Starting health={health.data} failure={health.error} />
        ) : view.prompt === "" ? (
          <Welcome />
        ) : (
          <>
            <TokenStrip />
            <Continuations />
            {cutError && <ErrorNote failure={cutError} />}
            <main className="regions">
              <aside className="side" aria-label="Edits and runs">
                <EditsPanel />
                <RunsPanel />
              </aside>
              <div className="middle">
                <Overview />
                <LayerPanels />
              </div>
              <aside className="side right" aria-label="Details">
                <Output />
                {view.value === "" ? null : <ValueDetails key={view.value} value={view.value} />}
              </aside>
            </main>
          </>
        )}
        <Shortcuts open={help} onClose={() => setHelp(false)} />
      </div>
    </SessionContext>
  );
}
