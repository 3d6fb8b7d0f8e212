// Joins the pages: which one is shown, what lies over it. Waits until the server has its model.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { healthQuery } from "../api/queries";
import { PromptBar } from "../panels/bar/PromptBar";
import { Announcement } from "../panels/shell/Announcement";
import { closeOverlay, useOverlay } from "../run/overlays";
import { useOnExplore } from "../run/place";
import { ErrorNote, Warning } from "../ui/notes";
import { Busy } from "./Busy";
import { Debugger } from "./Debugger";
import { ExploreBar } from "./explore/ExploreBar";
import { Keys } from "./Keys";
import { Palette } from "./Palette";
import { Shortcuts } from "./Shortcuts";
import { Tour } from "./Tour";
import { Starting } from "./Starting";
import css from "./shell.module.css";

const ExplorePage = lazy(() => import("./explore/ExplorePage"));

export function App() {
  const health = useQuery(healthQuery());
  const [wasReady, setWasReady] = useState(false);
  if (health.data?.status === "ready" && !wasReady) setWasReady(true);
  const client = useQueryClient();
  const away = health.isError;
  const heard = health.dataUpdatedAt;
  useEffect(() => {
    // The server is there: whatever gave up while it was away is asked again, also where its absence was too short for
    // the page to be told of it.
    const gaveUp = (error: Error | null) => error instanceof ApiError && error.status === 0;
    if (!away) void client.refetchQueries({ predicate: ({ state }) => gaveUp(state.error) });
  }, [away, heard, client]);
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
          {!away && <Busy />}
          {health.error && <ErrorNote failure={health.error} />}
          {health.data?.warnings.map(({ code, what, cure }) => (
            <Warning key={code}>
              {what} <span className="cure">{cure}</span>
            </Warning>
          ))}
          {exploring ? (
            <Suspense>
              <ExplorePage />
            </Suspense>
          ) : (
            <Debugger />
          )}
          {!exploring && <Tour />}
          {overlay === "palette" && <Palette exploring={exploring} />}
        </>
      )}
      <Announcement />
      <Shortcuts exploring={exploring} open={overlay === "sheet"} onClose={closeOverlay} />
    </div>
  );
}
