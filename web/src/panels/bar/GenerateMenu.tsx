// The Generate button with its number of tokens and its sampling; and Stop in its place, which forgets neither.
import { Settings2, Square } from "lucide-react";
import { useState } from "react";
import { Popover, Segments } from "../../ui/controls";
import { useRoving } from "../../ui/roving";
import { stopGeneration, useGeneration } from "../../run/generation";
import { useView, setView } from "../../run/view";
import css from "./bar.module.css";

const COUNTS = ["1", "5", "10", "20"] as const;
const MOST = 512;

interface Props {
  prompt: string;
  onGenerate: (count: number) => void;
}

export function GenerateMenu({ prompt, onGenerate }: Props) {
  const view = useView();
  const [count, setCount] = useState(view.generate || 10);
  const choose = (next: number) => {
    if (!Number.isInteger(next) || next < 1 || next > MOST) return;
    setCount(next);
    if (view.generate > 0) setView({ generate: next });
  };
  const greedy = view.temperature === 0;
  const { running } = useGeneration();
  const group = useRoving<HTMLDivElement>();
  if (running) {
    return (
      <button type="button" className="button danger" onClick={stopGeneration}>
        <Square aria-hidden />
        Stop
      </button>
    );
  }
  return (
    <div className={css.generate} ref={group}>
      <button
        type="button"
        className="button"
        data-rove
        tabIndex={-1}
        disabled={prompt === ""}
        onClick={() => onGenerate(count)}
      >
        Generate {count}
      </button>
      <Popover
        label="How to generate"
        align="end"
        trigger={
          <button
            type="button"
            className="button icon"
            data-rove
            tabIndex={-1}
            aria-label="Number of tokens and sampling"
          >
            <Settings2 aria-hidden />
          </button>
        }
      >
        <div className={css.sampling}>
          <Segments
            label="Tokens to generate"
            value={String(count)}
            options={COUNTS.map((value) => ({ value: value as string, label: value }))}
            onChange={(value) => choose(Number(value))}
          />
          <label htmlFor="count">Tokens</label>
          <input
            id="count"
            className="field"
            type="number"
            min={1}
            max={MOST}
            value={count}
            onChange={(event) => choose(event.target.valueAsNumber)}
          />
          <label htmlFor="temperature">Temperature</label>
          <input
            id="temperature"
            className="field"
            type="number"
            min={0}
            max={10}
            step={0.1}
            value={view.temperature}
            onChange={(event) => {
              const temperature = event.target.valueAsNumber;
              if (temperature >= 0 && temperature <= 10) setView({ temperature });
            }}
          />
          <label htmlFor="top-p">Top-p</label>
          <input
            id="top-p"
            className="field"
            type="number"
            min={0.05}
            max={1}
            step={0.05}
            disabled={greedy}
            value={view.topP}
            onChange={(event) => {
              const topP = event.target.valueAsNumber;
              if (topP > 0 && topP <= 1) setView({ topP });
            }}
          />
          <label htmlFor="seed">Seed</label>
          <input
            id="seed"
            className="field"
            type="number"
            min={0}
            step={1}
            disabled={greedy}
            value={view.seed}
            onChange={(event) => {
              const seed = event.target.valueAsNumber;
              if (Number.isInteger(seed) && seed >= 0) setView({ seed });
            }}
          />
          <p className="muted">
            {greedy
              ? "Temperature 0 takes the most probable token at each step."
              : "With and without edits get the same random numbers: they differ only where the edits make them differ."}
          </p>
        </div>
      </Popover>
    </div>
  );
}
