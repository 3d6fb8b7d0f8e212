// Shows the guided tour: a card in the corner, and what it speaks of outlined. The page stays as usable as it is.
import { useEffect, useState } from "react";
import { tourStep, useTourStep } from "../run/overlays";
import { useMedia } from "../ui/hooks";
import { TOUR } from "./tour";
import css from "./shell.module.css";

/** Whether it lies where the card would: below, in the middle. */
const isBelow = ({ top, left, right }: DOMRect): boolean =>
  top > window.innerHeight / 2 && left < window.innerWidth / 2 && right > window.innerWidth / 2;

export function Tour() {
  const at = useTourStep();
  const reduced = useMedia("(prefers-reduced-motion: reduce)");
  const [high, setHigh] = useState(false);
  const step = at === null ? undefined : TOUR[at];
  useEffect(() => {
    if (step === undefined) return;
    step.perform();
    let shown: Element | null = null;
    // What it points at may have to be drawn first, or computed.
    const timer = setInterval(() => {
      shown = document.querySelector(step.at);
      if (shown === null) return;
      clearInterval(timer);
      shown.setAttribute("data-tour", "");
      setHigh(isBelow(shown.getBoundingClientRect()));
      shown.scrollIntoView({ block: "nearest", behavior: reduced ? "auto" : "smooth" });
    }, 150);
    return () => {
      clearInterval(timer);
      shown?.removeAttribute("data-tour");
    };
  }, [step, reduced]);
  if (at === null || step === undefined) return null;
  const last = at === TOUR.length - 1;
  return (
    <section className={css.tour} data-high={high} aria-label="Guided tour">
      <p className="muted">
        {at + 1} of {TOUR.length}
      </p>
      <h2>{step.title}</h2>
      <p aria-live="polite">{step.text}</p>
      <p className={css.tourVerbs}>
        <button type="button" className="button small quiet" onClick={() => tourStep(null)}>
          {last ? "Close" : "End the tour"}
        </button>
        <span className="grow" />
        {at > 0 && (
          <button type="button" className="button small" onClick={() => tourStep(at - 1)}>
            Back
          </button>
        )}
        {!last && (
          <button type="button" className="button small primary" onClick={() => tourStep(at + 1)}>
            Next
          </button>
        )}
      </p>
    </section>
  );
}
