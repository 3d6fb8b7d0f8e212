// Keeps how far the page was scrolled, for when one comes back from a vector to the results.
import { useLayoutEffect, type RefObject } from "react";
import { writeExplore } from "../../domain/explore";
import { getExplore } from "../../run/explore";

let left = { at: "", top: 0 };

/** What the tabs show, whether or not a vector's page stands in front of them. */
const shown = (): string => writeExplore(getExplore());

export function useKeptScroll(element: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const scrolled = element.current;
    if (left.at === shown()) scrolled?.scrollTo({ top: left.top });
    return () => {
      left = { at: shown(), top: scrolled?.scrollTop ?? 0 };
    };
  }, [element]);
}
