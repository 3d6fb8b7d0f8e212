// What an edit does to the prediction, shown while the pointer rests on it: the run as it is, beside the run with this
// one edit switched.
import { useQuery } from "@tanstack/react-query";
import type { RefObject } from "react";
import { createPortal } from "react-dom";
import { compareQuery } from "../../api/queries";
import { isInForce } from "../../domain/concept";
import type { ListedEdit } from "../../domain/edit";
import { change, nats, percent } from "../../domain/numbers";
import { PROBABILITY } from "../../domain/scale";
import { useRun } from "../../run/useRun";
import { useViewPart } from "../../run/view";
import { ComparisonTable } from "../../ui/ComparisonTable";
import { ErrorNote } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import css from "./edits.module.css";

const LISTED = 5;
const WIDE = 290;

interface Props {
  beside: RefObject<HTMLElement | null>;
  edit: ListedEdit;
  index: number;
}

export function Preview({ beside, edit, index }: Props) {
  const edits = useViewPart("edits");
  const { b, position, variant } = useRun();
  const on = isInForce(edit);
  const switched: ListedEdit = on
    ? { ...edit, enabled: false }
    : { ...edit, enabled: true, ...(edit.concept && { concept: { ...edit.concept, enabled: true } }) };
  const other = variant(edits.map((one, place) => (place === index ? switched : one)));
  const [without, withIt] = on ? [other, b] : [b, other];
  const { data, error } = useQuery({
    ...compareQuery(without, position, withIt, position, LISTED),
    placeholderData: undefined,
  });
  const box = beside.current?.getBoundingClientRect();
  if (box === undefined) return null;
  const left = box.right + 8 + WIDE < window.innerWidth ? box.right + 8 : box.left;
  const top = Math.min(box.top, window.innerHeight - 210);
  const most = Math.max(
    ...(data?.tokens ?? []).flatMap((one) => [one.probability_before, one.probability_after]),
    0.01,
  );
  return createPortal(
    <div className={css.preview} style={{ left, top, width: WIDE }} role="status">
      <p className="muted">
        What {edit.value} does here{data !== undefined && `, KL ${nats(data.kl)} nats`}
      </p>
      {error !== null && <ErrorNote failure={error} />}
      {data === undefined && error === null && <p className="muted">running…</p>}
      {data !== undefined && (
        <ComparisonTable
          label={`Effect of ${edit.value}`}
          head="next token"
          value=""
          rows={data.tokens.slice(0, LISTED).map((one) => ({
            ...{ key: one.id, a: one.probability_before, b: one.probability_after },
            head: <TokenText text={one.text} />,
          }))}
          compared
          show="difference"
          names={{ a: "without", b: "with" }}
          scale={{ ...PROBABILITY, place: (value) => PROBABILITY.place(value / most) }}
          write={percent}
          writeBoth={change}
          floor={5e-5}
        />
      )}
    </div>,
    document.body,
  );
}
