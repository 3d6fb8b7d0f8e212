// What the keyboard verbs need to know of what is shown.
import { usePaused } from "../run/session";
import { useTrace } from "../run/useTrace";
import type { Shown } from "./actions";

export function useShown(): Shown {
  const { data, length, position, compared } = useTrace();
  const paused = usePaused();
  const layers = data?.model.layers ?? 0;
  return { layers, length, position, compared, paused };
}
