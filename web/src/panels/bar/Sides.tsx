// A and B: what each run is, which of them is shown, or their difference. A run from the drawer can be dropped on either.
import { ChevronDown } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import { useState, type ReactNode } from "react";
import { lensName } from "../../domain/lens";
import { visible } from "../../domain/visible";
import { bisect, setA, setALens, setBase } from "../../run/against";
import { clearEdits } from "../../run/edits";
import { useLenses } from "../../run/lens";
import { restore } from "../../run/restore";
import { useRun } from "../../run/useRun";
import { setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import { useRoving } from "../../ui/roving";
import { droppedRun, holdsRun, type Dragged } from "../runs/drag";
import css from "./bar.module.css";

const counted = (edits: number): string => (edits === 0 ? "no edits" : edits === 1 ? "1 edit" : `${edits} edits`);

export function Sides() {
  const view = useView();
  const { compared, base, interventions, lens, aLens } = useRun();
  const lenses = useLenses();
  const group = useRoving<HTMLDivElement>();
  const other = visible(view.aPrompt);
  const through = lens === aLens ? "" : lensName(aLens);
  const aSaid = base
    ? "without edits"
    : `${through === "" ? "" : `through the ${through}, `}${view.aPrompt === view.prompt ? "this prompt" : other}${view.aEdits.length > 0 ? `, ${counted(view.aEdits.length)}` : ""}`;
  return (
    <div className={css.sides} ref={group}>
      <Side
        name="A"
        said={aSaid}
        short={
          base ? "base" : through !== "" ? through : view.aPrompt === view.prompt ? counted(view.aEdits.length) : other
        }
        onDrop={setA}
      >
        <Menu.Item className="menu-item" disabled={base} onSelect={setBase}>
          This run without edits
        </Menu.Item>
        <Menu.Item
          className="menu-item"
          disabled={view.prompt === ""}
          onSelect={() => setA({ prompt: view.prompt, interventions })}
        >
          This run as it is now: what comes next is compared with it
        </Menu.Item>
        {lenses.names
          .filter((name) => name !== lens)
          .map((name) => (
            <Menu.Item
              key={name}
              className="menu-item"
              disabled={view.prompt === ""}
              onSelect={() => setALens(name, interventions)}
            >
              This run through the {lensName(name)}
            </Menu.Item>
          ))}
        <Menu.Item className="menu-item" disabled={!compared} onSelect={bisect}>
          Bisect: where A and B part
        </Menu.Item>
        <Menu.Label className="menu-label">Or drop a run here, from the runs below.</Menu.Label>
      </Side>
      <Side name="B" said={counted(interventions.length)} short={counted(interventions.length)} onDrop={restore}>
        <Menu.Item className="menu-item" disabled={view.edits.length === 0} onSelect={clearEdits}>
          Remove all edits
        </Menu.Item>
        <Menu.Label className="menu-label">B is the prompt with the edits in force.</Menu.Label>
      </Side>
      <Segments
        label="Show run A, run B, or the difference"
        value={compared ? view.compare : ""}
        options={[
          { value: "base", label: "A", disabled: !compared, title: "Every number is A’s" },
          { value: "edited", label: "B", disabled: !compared, title: "Every number is B’s" },
          { value: "difference", label: "Δ", disabled: !compared, title: "Difference: B − A" },
        ]}
        onChange={(next) => next !== "" && setView({ compare: next })}
      />
    </div>
  );
}

interface SideProps {
  name: "A" | "B";
  said: string;
  short: string;
  onDrop: (run: Dragged) => void;
  children: ReactNode;
}

function Side({ name, said, short, onDrop, children }: SideProps) {
  const [over, setOver] = useState(false);
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger asChild>
        <button
          type="button"
          className={`button ${css.side}`}
          data-rove
          tabIndex={-1}
          data-over={over}
          aria-label={`Run ${name}: ${said}`}
          title={`${name}: ${said}`}
          onDragOver={(event) => {
            if (!holdsRun(event.dataTransfer)) return;
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            const run = droppedRun(event.dataTransfer);
            if (run !== null) onDrop(run);
          }}
        >
          <b>{name}</b> <span>{short}</span>
          <ChevronDown aria-hidden />
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="popover menu" align="end" sideOffset={4} collisionPadding={8}>
          {children}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
