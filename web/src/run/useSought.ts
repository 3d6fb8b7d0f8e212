// From the page's state to what the server is asked: keywords once they stand still, a vector, or a residual stream.
import { useMemo } from "react";

import type { SearchFilter, Sought } from "../api/search";
import { useDebounced } from "../ui/hooks";
import type { Run } from "../domain/run";
import { useRun } from "./useRun";
import { useView } from "./view";
import { useExplore } from "./explore";

/** Keywords wait this long for the next letter. */
const DEBOUNCE = 250;

export function useSought(): { sought: Sought | null; filter: SearchFilter } {
  const { q, unwanted, match, skip, like, residual, against, layers, sign, expert, named, limit, through } =
    useExplore();
  const view = useView();
  const { b: run } = useRun();
  const words = useDebounced(q, DEBOUNCE);
  const minus = useDebounced(unwanted, DEBOUNCE);
  const sought = useMemo((): Sought | null => {
    // The same prompt again is compared without its edits: what they change. Another one is edited alike.
    const otherOf = (run: Run, position: number) =>
      against === view.prompt
        ? { run: { ...run, interventions: [] }, position }
        : { run: { prompt: against, interventions: run.interventions }, position: -1 };
    if (residual !== null) {
      if (run === null) return null;
      const [position, layer] = residual;
      return { residual: { run, position, layer, against: against === "" ? null : otherOf(run, position) } };
    }
    if (like !== "") return { like };
    if (words.trim() === "" && minus.trim() === "") return null;
    return { q: words, unwanted: minus, match, skip };
  }, [residual, run, view.prompt, against, like, words, minus, match, skip]);
  const filter = useMemo(
    () => ({ layers, sign, expert, named, limit: Number(limit), lens: through }),
    [layers, sign, expert, named, limit, through],
  );
  return { sought, filter };
}
