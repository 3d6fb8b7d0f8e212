// The heads of a layer: how much each writes at the position, and what that promotes.
import type { HeadUpdate } from "../../api/types";
import { percent, short } from "../../domain/numbers";
import { visible } from "../../domain/visible";
import { openUnit } from "../../run/unit";
import { EditMenu } from "../unit/EditMenu";
import css from "./layer.module.css";

interface Props {
  heads: readonly HeadUpdate[];
  /** The same in A, where B is compared with it. */
  base: readonly HeadUpdate[] | null;
  open: string;
  edited: ReadonlySet<string>;
}

const SHOWN = 10;

export function Heads({ heads, base, open, edited }: Props) {
  const before = new Map((base ?? []).map((head) => [head.head, head]));
  const sizeOf = (head: HeadUpdate) =>
    base === null ? head.norm : Math.abs(head.norm - (before.get(head.head)?.norm ?? head.norm));
  const listed = [...heads].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, SHOWN);
  const most = Math.max(...listed.map(sizeOf), 1e-9);
  return (
    <ul aria-label="Heads" className={css.heads} data-both={base !== null}>
      {listed.map((head) => {
        const promotes = (head.promotes ?? []).slice(0, 5).map(visible);
        const then = before.get(head.head);
        const facts = [
          `${head.head}: length ${short(head.norm)}, share of what attention writes here ${percent(Math.abs(head.share))}`,
          `promotes ${promotes.join("  ")}`,
        ];
        return (
          <li key={head.head} className={css.row} data-open={open === head.head} data-edited={edited.has(head.head)}>
            <button
              type="button"
              className={css.open}
              data-rove
              tabIndex={-1}
              title={facts.join("\n")}
              aria-label={facts.join(". ")}
              aria-expanded={open === head.head}
              onClick={() => openUnit(head.head)}
            >
              <span className={css.bar} style={{ width: `${(sizeOf(head) / most) * 100}%` }} />
              <span className={`mono ${css.unit}`}>{head.head.replace(/^L\d+/, "")}</span>
              <span className={`token ${css.promotes}`}>{promotes.join("  ")}</span>
              <span className={css.figure}>
                {base === null || then === undefined ? short(head.norm) : `${short(then.norm)} → ${short(head.norm)}`}
              </span>
            </button>
            <EditMenu unit={head.head} quiet roving />
          </li>
        );
      })}
    </ul>
  );
}
