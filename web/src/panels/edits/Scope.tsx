// Where an edit applies: a named scope, the position that is read out, or positions from its text.
import { useRun } from "../../run/useRun";
import { changeEdit } from "../../run/edits";
import type { ListedEdit } from "../../domain/edit";
import css from "./edits.module.css";

const NAMED = [
  ["all", "all"],
  ["prompt", "prompt"],
  ["generated", "generated"],
  ["last", "last"],
] as const;

export function Scope({ edit, index }: { edit: ListedEdit; index: number }) {
  const { position } = useRun();
  const named = NAMED.some(([scope]) => scope === edit.scope);
  const here = String(position);
  return (
    <select
      className={`field ${css.scope}`}
      aria-label={`Where ${edit.value} is edited`}
      value={edit.scope}
      onChange={(event) => changeEdit(index, { scope: event.target.value })}
    >
      {NAMED.map(([scope, label]) => (
        <option key={scope} value={scope}>
          {label}
        </option>
      ))}
      {position >= 0 && edit.scope !== here && <option value={here}>at {here}</option>}
      {!named && <option value={edit.scope}>at {edit.scope}</option>}
    </select>
  );
}
