// Joins the pages: which one is shown, what lies over it. Waits until the server has its model.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { healthQuery } from "../api/queries";
import { PromptBar } from "../panels/bar/PromptBar";
import { Announcement } from "../panels/shell/Announcement";
import { closeOverlay, useOverlay } from "../run/overlays";
import { useOnExplore } from "../run/place";
import { ErrorNote } from "../ui/notes";
import { Busy } from "./Busy";
import { Debugger } from "./Debugger";
import { ExploreBar } from "./explore/ExploreBar";
import { Keys } from "./Keys";
import { Palette } from "./Palette";
import { Shortcuts } from "./Shortcuts";
import { Starting } from "./Starting";
import css from "./shell.module.css";

const ExplorePage = lazy(() => import("./explore/ExplorePage"));

export function App() {
  const health = useQuery(healthQuery());
  const [wasReady, setWasReady] = useState(false);
  if (health.data?.status === "ready" && !wasReady) setWasReady(true);
  const exploring = useOnExplore();
  const overlay = useOverlay();
  return (
    <div className={css.page}>
      {!wasReady ? (
        <Starting health={health.data} failure={health.error} />
      ) : (
        <>
          <Keys exploring={exploring} />
          {exploring ? <ExploreBar /> : <PromptBar />}
          <Busy />
          {health.error && <ErrorNote failure={health.error} />}
          {exploring ? (
            <Suspense>
              <ExplorePage />
            </Suspense>
          ) : (
            <Debugger />
          )}
          {overlay === "palette" && <Palette exploring={exploring} />}
        </>
      )}
      <Announcement />
      <Shortcuts exploring={exploring} open={overlay === "sheet"} onClose={closeOverlay} />
    </div>
  );
}
