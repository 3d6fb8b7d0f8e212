// A bar between two panes: dragged, or moved by arrow keys. The size that it sets is kept by this browser.
import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import { useStore, type Store } from "./store";
import css from "./splitter.module.css";

interface Props {
  label: string;
  /** Size in pixels of the pane that it belongs to. */
  size: Store<number>;
  minimum: number;
  maximum: number;
  /** Where the pane lies: its size grows away from it. */
  pane: "left" | "right" | "below";
}

const STEP = 16;

export function Splitter({ label, size, minimum, maximum, pane }: Props) {
  const now = useStore(size);
  const drag = useRef<{ from: number; size: number } | null>(null);
  const upright = pane !== "below";
  const sign = pane === "left" ? 1 : -1;
  const set = (next: number) => size.set(Math.round(Math.min(maximum, Math.max(minimum, next))));
  const at = (event: PointerEvent) => (upright ? event.clientX : event.clientY);
  const keys = (event: KeyboardEvent) => {
    const forward = upright ? "ArrowRight" : "ArrowDown";
    const backward = upright ? "ArrowLeft" : "ArrowUp";
    if (event.key !== forward && event.key !== backward) return;
    event.preventDefault();
    event.stopPropagation();
    set(now + (event.key === forward ? 1 : -1) * sign * STEP);
  };
  return (
    // A separator that has a value is a control: https://www.w3.org/TR/wai-aria-1.2/#separator.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="separator"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={label}
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-valuenow={now}
      aria-valuemin={minimum}
      aria-valuemax={maximum}
      className={css.splitter}
      data-upright={upright}
      onKeyDown={keys}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { from: at(event), size: now };
      }}
      onPointerMove={(event) => {
        if (drag.current !== null) set(drag.current.size + sign * (at(event) - drag.current.from));
      }}
      onPointerUp={() => (drag.current = null)}
    />
  );
}
