// One edit as a row: switch, unit with its first tokens, slider. Opened for where it applies and its text. Resting on it
// shows what it does.
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, X } from "lucide-react";
import { useRef, useState } from "react";
import { valueQuery } from "../../api/queries";
import { isInForce, scaled } from "../../domain/concept";
import { isDirection, isExchange } from "../../domain/direction";
import { formatEdit, parseEdit, type ListedEdit, type Operation } from "../../domain/edit";
import { isHead } from "../../domain/names";
import { short } from "../../domain/numbers";
import { atSlider, sliderOf } from "../../domain/units";
import { visible } from "../../domain/visible";
import { changeEdit, removeEdit } from "../../run/edits";
import { useLens } from "../../run/lens";
import { useNames } from "../../run/names";
import { openUnit } from "../../run/unit";
import { useViewPart } from "../../run/view";
import { Segments, Switch } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { GroupMenu } from "./GroupMenu";
import { Preview } from "./Preview";
import { Scope } from "./Scope";
import { Sweep } from "./Sweep";
import { DirectionSlider, HeadSlider, StrengthSlider } from "./StrengthSlider";
import css from "./edits.module.css";

const CHOICES = [
  { value: "on-", label: "on−", title: "Its own 0.1 % quantile" },
  { value: "off", label: "off", title: "Coefficient 0" },
  { value: "on", label: "on", title: "Its own 99.9 % quantile" },
] as const;
const REST = 350;

export function EditRow({ edit, index }: { edit: ListedEdit; index: number }) {
  const names = useNames();
  const looked = useViewPart("value");
  const [open, setOpen] = useState(false);
  const [resting, rest] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const row = useRef<HTMLDivElement>(null);
  const head = isHead(edit.value);
  const direction = isDirection(edit.value);
  const { lens, known } = useLens();
  const value = useQuery({ ...valueQuery(edit.value, lens), enabled: !head && !direction && known });
  const range = value.data?.range ?? null;
  const place = sliderOf(edit, range);
  const name = names.get(edit.value);
  const strength = edit.concept?.strength ?? 1;
  const negative = (place ?? 0) < 0;
  const tokens = negative ? value.data?.suppresses : value.data?.promotes;
  const failure = value.error ?? null;
  return (
    <li className={css.item} data-off={!isInForce(edit)} data-looked={looked === edit.value}>
      <div
        ref={row}
        className={css.row}
        onMouseEnter={() => (timer.current = setTimeout(() => rest(true), REST))}
        onMouseLeave={() => {
          clearTimeout(timer.current);
          rest(false);
        }}
      >
        <Switch
          label={`${edit.value} in force`}
          checked={edit.enabled}
          data-rove
          tabIndex={-1}
          onCheckedChange={(enabled) => changeEdit(index, { enabled })}
        />
        <button
          type="button"
          className={css.unit}
          data-rove
          tabIndex={-1}
          title={direction ? formatEdit(edit) : `${formatEdit(edit)}\nOpen ${edit.value}`}
          aria-label={`${name === undefined ? "" : `${name}, `}${formatEdit(edit)}: open ${direction ? "the edit" : edit.value}`}
          onClick={() => (direction ? setOpen(!open) : openUnit(edit.value))}
        >
          <b className={name === undefined ? "mono" : ""}>{name ?? edit.value}</b>{" "}
          {edit.scope !== "all" && <span className={css.at}>@{edit.scope} </span>}
          <span className="token muted">
            {(tokens ?? [])
              .slice(0, 4)
              .map(({ text }) => visible(text))
              .join(" ")}
          </span>
        </button>
        {head ? (
          <HeadSlider
            value={edit.value}
            factor={edit.operation === "off" ? 0 : edit.operation === "*=" ? (edit.amount ?? 1) : null}
            onChange={(factor) =>
              changeEdit(
                index,
                factor === 0 ? { operation: "off", amount: null } : { operation: "*=", amount: factor },
                `slider ${index}`,
              )
            }
          />
        ) : direction && edit.operation === "+=" ? (
          <DirectionSlider
            value={edit.value}
            lengths={edit.amount ?? 0}
            onChange={(amount) => changeEdit(index, { operation: "+=", amount }, `slider ${index}`)}
          />
        ) : range === null ? (
          <span className={`mono muted ${css.amount}`}>
            {formatEdit({ ...edit, scope: "all" }).slice(edit.value.length)}
          </span>
        ) : (
          <StrengthSlider
            value={edit.value}
            range={range}
            place={place}
            inForce={sliderOf(scaled(edit, strength), range)}
            tabbable={open}
            onChange={(units) => changeEdit(index, atSlider(units, range), `slider ${index}`)}
          />
        )}
        <button
          type="button"
          className={css.expand}
          data-rove
          tabIndex={-1}
          aria-expanded={open}
          aria-label={`More of the edit of ${edit.value}`}
          onClick={() => setOpen(!open)}
        >
          {open ? <ChevronDown aria-hidden /> : <ChevronRight aria-hidden />}
        </button>
        <button
          type="button"
          className={css.remove}
          data-rove
          tabIndex={-1}
          aria-label={`Remove the edit of ${edit.value}`}
          title="Remove"
          onClick={() => removeEdit(index)}
        >
          <X aria-hidden />
        </button>
        {resting && <Preview beside={row} edit={edit} index={index} />}
      </div>
      {failure !== null && <ErrorNote failure={failure} />}
      {open && (
        <div className={css.opened}>
          <div className={css.line}>
            {!head && !direction && (
              <Segments
                label={`Set ${edit.value}`}
                value={edit.operation as string}
                options={CHOICES}
                onChange={(operation) => changeEdit(index, { operation: operation as Operation, amount: null })}
              />
            )}
            <Scope edit={edit} index={index} />
            <GroupMenu edit={edit} index={index} />
          </div>
          <EditText key={formatEdit(edit)} edit={edit} index={index} />
          {!isExchange(edit.value) && <Sweep key={edit.value} edit={edit} index={index} />}
          {strength !== 1 && (
            <p className="muted">
              in force: {formatEdit(scaled(edit, strength))}, ×{short(strength)}
            </p>
          )}
        </div>
      )}
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
        className="field mono"
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
      {"error" in parsed && <p className={css.error}>{parsed.error}</p>}
    </>
  );
}
