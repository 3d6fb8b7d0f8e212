// The inspector: the prediction, and below it why, or the unit that is looked at.
import { X } from "lucide-react";
import { isHead } from "../../domain/names";
import { closeUnit } from "../../run/unit";
import { setView, useView } from "../../run/view";
import { IconButton, Segments } from "../../ui/controls";
import { Empty } from "../../ui/notes";
import { HeadDetails } from "../unit/HeadDetails";
import { ValueDetails } from "../unit/ValueDetails";
import { FixPanel } from "./FixPanel";
import { Prediction } from "./Prediction";
import { Why } from "./Why";
import css from "./inspector.module.css";

type Tab = "why" | "vector" | "head";

/** By itself the inspector shows what is looked at, else why. */
export function tabOf(inspect: Tab | "auto", value: string): Tab {
  if (inspect !== "auto") return inspect;
  return value === "" ? "why" : isHead(value) ? "head" : "vector";
}

export function Inspector() {
  const { value, inspect } = useView();
  const tab = tabOf(inspect, value);
  const head = isHead(value);
  return (
    <aside className={css.inspector} aria-label="Inspector">
      <Prediction />
      <div className={css.tabs}>
        <Segments
          label="Inspect"
          value={tab}
          options={[
            { value: "why", label: "Why" },
            { value: "vector", label: "Vector" },
            { value: "head", label: "Head" },
          ]}
          onChange={(next) => setView({ inspect: next })}
        />
        <span className="grow" />
        {tab !== "why" && value !== "" && (
          <IconButton label="Close" hint="Esc" className="small" onClick={closeUnit}>
            <X aria-hidden />
          </IconButton>
        )}
      </div>
      <div className={css.content}>
        {tab === "why" && <Why />}
        {tab === "vector" &&
          (value === "" || head ? (
            <Empty title="No vector is open">
              Choose one of a layer’s updates, or press Ctrl K and write its name.
            </Empty>
          ) : (
            <ValueDetails key={value} value={value} />
          ))}
        {tab === "head" &&
          (head ? (
            <HeadDetails key={value} head={value} />
          ) : (
            <Empty title="No head is open">Choose one of a layer’s heads, or press Ctrl K and write its name.</Empty>
          ))}
      </div>
      {tab === "why" && <FixPanel />}
    </aside>
  );
}
