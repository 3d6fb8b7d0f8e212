// The floor plan of the debugger: tokens above; setup, map over layer, inspector; runs below. Where there is no room the
// setup is a rail and the inspector lies over the map.
import { PanelRight, SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { EditsPanel } from "../panels/edits/EditsPanel";
import { Inspector } from "../panels/inspector/Inspector";
import { LayerPanel } from "../panels/layer/LayerPanel";
import { MapPanel } from "../panels/map/MapPanel";
import { DebugPanel } from "../panels/session/DebugPanel";
import { FramePanel } from "../panels/session/FramePanel";
import { PausedBar } from "../panels/session/PausedBar";
import { RunsDrawer } from "../panels/runs/RunsDrawer";
import { TokenStrip } from "../panels/strip/TokenStrip";
import { useContinuing, type GenerationRequest } from "../run/generation";
import { useSession, useSessionSync } from "../run/session";
import { useRun } from "../run/useRun";
import { useView } from "../run/view";
import { kept } from "../ui/kept";
import { useMedia } from "../ui/hooks";
import { ErrorNote } from "../ui/notes";
import { Splitter } from "../ui/Splitter";
import { useStore } from "../ui/store";
import { Welcome } from "./Welcome";
import css from "./shell.module.css";

/** A pane's size until somebody drags it: what it needs, and a part of a screen that has more. */
const wideOr = (needed: number, part: number): number => Math.max(needed, Math.round(window.innerWidth * part));
const setupSize = kept<number>("setup-width", wideOr(292, 0.14));
const inspectorSize = kept<number>("inspector-width", wideOr(352, 0.2));
const layerSize = kept<number>("layer-height", 256);

/** Below this width the panes beside the map do not fit. */
const NARROW = "(max-width: 1179px)";

export function Debugger() {
  const view = useView();
  const { interventions, compared, error, promptLength, settled } = useRun();
  useSessionSync(interventions, settled);
  const asked: GenerationRequest | null =
    view.generate > 0 && view.session === "" && view.prompt !== "" && promptLength > 0
      ? {
          prompt: view.prompt,
          interventions: [...interventions],
          max_new_tokens: view.generate,
          temperature: view.temperature,
          ...(view.topP < 1 ? { top_p: view.topP } : {}),
          seed: view.seed,
          // A's continuation is asked for by itself.
          compare: false,
        }
      : null;
  useContinuing(asked);
  if (view.prompt === "") return <Welcome />;
  return (
    <>
      <TokenStrip key={String(compared && view.aPrompt)} />
      {error && <ErrorNote failure={error} />}
      <PausedBar />
      <Panes />
      <RunsDrawer />
    </>
  );
}

function Panes() {
  const narrow = useMedia(NARROW);
  const session = useSession();
  const view = useView();
  const setup = useStore(setupSize);
  const inspector = useStore(inspectorSize);
  const layer = useStore(layerSize);
  // In the narrow plan one pane lies over the map at a time; looking at a unit brings the inspector.
  const [over, setOver] = useState<"" | "setup" | "inspector">("");
  const [seen, see] = useState(view.value);
  if (seen !== view.value) {
    see(view.value);
    if (view.value !== "" && over !== "setup") setOver("inspector");
  }
  const middle = (
    // The key keeps it, and the dialogs that it has open, where the plan changes.
    <div key="middle" className={css.middle}>
      {!view.all && (
        <>
          <MapPanel />
          <Splitter label="Height of the layer panel" size={layerSize} minimum={90} maximum={700} pane="below" />
        </>
      )}
      {session?.frame != null && <FramePanel frame={session.frame} />}
      <div className={css.layer} style={view.all ? { flex: 1 } : { height: layer }}>
        <LayerPanel />
      </div>
    </div>
  );
  if (!narrow) {
    return (
      <main className={css.panes}>
        <aside className={css.setup} style={{ width: setup }} aria-label="Setup">
          <EditsPanel />
          <DebugPanel />
        </aside>
        <Splitter label="Width of the setup" size={setupSize} minimum={200} maximum={520} pane="left" />
        {middle}
        <Splitter label="Width of the inspector" size={inspectorSize} minimum={260} maximum={900} pane="right" />
        <div className={css.inspector} style={{ width: inspector }}>
          <Inspector />
        </div>
      </main>
    );
  }
  return (
    <main className={css.panes} data-narrow>
      <div className={css.rail}>
        <button
          type="button"
          className="button icon quiet"
          aria-expanded={over === "setup"}
          aria-label={`Edits: ${view.edits.length}`}
          title="Edits"
          onClick={() => setOver(over === "setup" ? "" : "setup")}
        >
          <SlidersHorizontal aria-hidden />
        </button>
        {view.edits.length > 0 && <b>{view.edits.length}</b>}
      </div>
      {middle}
      <div className={css.rail} data-right>
        <button
          type="button"
          className="button icon quiet"
          aria-expanded={over === "inspector"}
          aria-label="Inspector"
          title="Inspector"
          onClick={() => setOver(over === "inspector" ? "" : "inspector")}
        >
          <PanelRight aria-hidden />
        </button>
      </div>
      {over === "setup" && (
        <aside className={css.over} data-side="left" style={{ width: setup }} aria-label="Setup">
          <div>
            <EditsPanel />
            <DebugPanel />
          </div>
        </aside>
      )}
      {over === "inspector" && (
        <div className={css.over} data-side="right" style={{ width: inspector }}>
          <Inspector />
        </div>
      )}
    </main>
  );
}
