// One edit: on, off, or anywhere between on the vector's own scale; where it applies; enabled or not.
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useState } from "react";
import { valueQuery } from "../../api/queries";
import { IconButton, Segments, Switch } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";
import { changeEdit, removeEdit } from "../../run/edits";
import { isInForce, scaled } from "../../domain/concept";
import { formatEdit, parseEdit, type ListedEdit, type Operation } from "../../domain/edit";
import { GroupMenu } from "./GroupMenu";
import { Scope } from "./Scope";
import { StrengthSlider } from "./StrengthSlider";
import { atSlider, sliderOf } from "../../domain/units";

const CHOICES = [
  { value: "on-", label: "on−", title: "Its own 0.1 % quantile" },
  { value: "off", label: "off", title: "Coefficient 0" },
  { value: "on", label: "on", title: "Its own 99.9 % quantile" },
] as const;

export function EditCard({ edit, index }: { edit: ListedEdit; index: number }) {
  const { names, view } = useCurrentSession();
  const value = useQuery(valueQuery(edit.value));
  const range = value.data?.range ?? null;
  const place = sliderOf(edit, range);
  const name = names.get(edit.value);
  return (
    <li className={isInForce(edit) ? "edit-card" : "edit-card disabled"} data-open={view.value === edit.value}>
      <div className="edit-head">
        <Switch
          label={`${edit.value} in force`}
          checked={edit.enabled}
          onCheckedChange={(enabled) => changeEdit(index, { enabled })}
        />
        <button type="button" className="edit-name" onClick={() => setView({ value: edit.value })}>
          {name !== undefined && <b>{name}</b>}
          <span className={name === undefined ? "mono" : "mono muted"}>{edit.value}</span>
        </button>
        <GroupMenu edit={edit} index={index} />
        <IconButton label={`Remove the edit of ${edit.value}`} className="small" onClick={() => removeEdit(index)}>
          <X aria-hidden />
        </IconButton>
      </div>
      {value.error && <ErrorNote failure={value.error} />}
      <div className="edit-row">
        <Segments
          label={`Set ${edit.value}`}
          value={edit.operation as string}
          options={CHOICES}
          onChange={(operation) => changeEdit(index, { operation: operation as Operation, amount: null })}
        />
        <Scope edit={edit} index={index} />
      </div>
      {range !== null && (
        <div className="edit-row">
          <StrengthSlider
            value={edit.value}
            range={range}
            place={place}
            inForce={sliderOf(scaled(edit, edit.concept?.strength ?? 1), range)}
            onChange={(units) => changeEdit(index, atSlider(units, range), `slider ${index}`)}
          />
        </div>
      )}
      <EditText key={formatEdit(edit)} edit={edit} index={index} />
    </li>
  );
}

/** The edit's own text, for what has no button: `=3.5`, `*=2`, `+=1`, `=layermax`. */
function EditText({ edit, index }: { edit: ListedEdit; index: number }) {
  const written = formatEdit(edit);
  const [text, setText] = useState(written);
  const parsed = parseEdit(text);
  const save = () => {
    if ("ok" in parsed && text !== written) changeEdit(index, parsed.ok);
  };
  return (
    <>
      <input
        className="edit-text mono"
        aria-label={`Text of the edit of ${edit.value}`}
        aria-invalid={"error" in parsed}
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === "Enter") save();
          if (event.key === "Escape") setText(written);
        }}
      />
      {"error" in parsed && <p className="field-error">{parsed.error}</p>}
    </>
  );
}
