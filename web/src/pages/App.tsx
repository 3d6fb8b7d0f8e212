// Joins the features into the page: what stands where. Waits until the server has its model.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { healthQuery } from "../api/queries";
import { ExploreBar } from "./explore/ExploreBar";
import { EditsPanel } from "../panels/edits/EditsPanel";
import { WritersOfPrediction } from "../panels/links/WritersLink";
import { Continuations } from "../panels/strip/Continuations";
import { LayerPanels } from "../panels/layer/LayerPanels";
import { Starting } from "./Starting";
import { Output } from "../panels/inspector/Output";
import { PromptBar } from "../panels/bar/PromptBar";
import { RunsPanel } from "../panels/runs/RunsPanel";
import { SessionContext, useCurrentSession } from "../run/context";
import { useSession } from "../run/useSession";
import { TokenStrip } from "../panels/strip/TokenStrip";
import { ValueDetails } from "../panels/unit/ValueDetails";
import { useOnExplore } from "../ui/address";
import { Announcement } from "../ui/Announcement";
import { ErrorNote } from "../ui/notes";
import { Busy } from "./Busy";
import { Overview } from "./Overview";
import { Shortcuts } from "./Shortcuts";
import { useShortcuts } from "./useShortcuts";
import { Welcome } from "./Welcome";
import "./app.css";

const ExplorePage = lazy(() => import("./explore/ExplorePage"));

export function App() {
  const health = useQuery(healthQuery());
  const [wasReady, setWasReady] = useState(false);
  const ready = health.data?.status === "ready";
  if (ready && !wasReady) setWasReady(true);
  const session = useSession(wasReady);
  const exploring = useOnExplore();
  const [help, setHelp] = useState(false);
  const showHelp = () => setHelp(true);
  useShortcuts(exploring, session, showHelp);

  return (
    <SessionContext value={session}>
      <div className="page">
        {exploring ? <ExploreBar onHelp={showHelp} /> : <PromptBar onHelp={showHelp} />}
        <Busy />
        {health.error && wasReady && <ErrorNote failure={health.error} />}
        {!wasReady ? (
          <Starting health={health.data} failure={health.error} />
        ) : exploring ? (
          <Suspense>
            <ExplorePage />
          </Suspense>
        ) : (
          <Prediction />
        )}
        <Announcement />
        <Shortcuts exploring={exploring} open={help} onClose={() => setHelp(false)} />
      </div>
    </SessionContext>
  );
}

function Prediction() {
  const { view, cutError } = useCurrentSession();
  if (view.prompt === "") return <Welcome />;
  return (
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
          <WritersOfPrediction />
          {view.value === "" ? null : <ValueDetails key={view.value} value={view.value} />}
        </aside>
      </main>
    </>
  );
}
