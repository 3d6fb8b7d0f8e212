// What the keyboard verbs need to know of what is shown.
import { useMemo } from "react";
import { useTrace } from "../run/useTrace";
import type { Shown } from "./actions";

export function useShown(): Shown {
  const { data, length, position, compared } = useTrace();
  const layers = data?.model.layers ?? 0;
  return useMemo(() => ({ layers, length, position, compared }), [layers, length, position, compared]);
}
