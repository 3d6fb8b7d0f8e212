// What hovering over a cell shows: its numbers at once, and the five most probable tokens when they are there.
import { useQuery } from "@tanstack/react-query";
import { traceQuery } from "../../api/queries";
import { changeOf, scaleOf } from "../../domain/cells";
import { rowOf, type Row } from "../../domain/fold";
import { percent, short, thousands } from "../../domain/numbers";
import { placeIn } from "../../domain/run";
import type { useMap } from "../../run/useMap";
import { useDebounced } from "../../ui/hooks";
import { TokenText } from "../../ui/TokenText";
import css from "./map.module.css";

interface Props {
  map: ReturnType<typeof useMap>;
  rows: readonly Row[];
  cell: { layer: number; position: number; x: number; y: number };
}

const REST = 140;
const LISTED = 10;
const SHOWN = 5;
const HIGH = 200;

export function CellDetails({ map, rows, cell }: Props) {
  const { show, a, b, base, compared, length, aLength, texts, token, colour } = map;
  const { layer, position } = cell;
  const resting = useDebounced(position, REST);
  const ofA = show === "base";
  // A's own read-out comes with B's where A is B without its edits.
  const apart = ofA && !base;
  const where = apart ? placeIn(length, resting, aLength) : resting;
  const view = useQuery({ ...traceQuery(apart ? a : b, where, LISTED), placeholderData: undefined });
  const data = resting === position ? view.data : undefined;
  const lists = ofA && base && compared ? data?.baseline?.layers : data?.layers;
  const top = lists?.[layer]?.after.slice(0, SHOWN);
  const own = map.numbers(ofA ? "a" : "b", layer, position);
  const other = compared && !ofA ? map.numbers("a", layer, position) : null;
  const row = rows[rowOf(rows, layer)];
  const left = Math.min(cell.x + 14, window.innerWidth - 256);
  const below = cell.y + HIGH < window.innerHeight;
  const name = token === null ? "" : (texts.get(token) ?? map.sideA?.output.find(({ id }) => id === token)?.text ?? "");
  return (
    <div className={css.details} style={{ left, top: below ? cell.y + 14 : cell.y - HIGH }} data-details aria-hidden>
      <p className="muted">
        {row !== undefined && row.first < row.last ? `layers ${row.first}–${row.last}` : `layer ${layer}`} · position{" "}
        {position} <TokenText text={map.tokens[position]?.text ?? ""} />
      </p>
      {row !== undefined && row.first < row.last && (
        <p>{show === "difference" ? "A and B do not differ here." : "The same top tokens as in the layer before."}</p>
      )}
      {(top ?? (own === null ? [] : [{ ...own, text: texts.get(own.id) ?? "" }])).map((found) => (
        <p key={found.id} className={css.detailsToken}>
          <span className="chip-bar" style={{ width: `${found.probability * 100}%` }} />
          <TokenText text={found.text} />
          <span>{percent(found.probability)}</span>
        </p>
      ))}
      {own === null ? (
        <p className="muted">Not read yet</p>
      ) : (
        <p className="muted">
          entropy {short(own.entropy)} nats
          {own.rank !== null && (
            <>
              {" "}
              · <TokenText text={name} /> rank {thousands(own.rank)}, {percent(own.followed ?? 0)}
            </>
          )}
        </p>
      )}
      {own !== null && other !== null && (
        <p className="muted">
          A <TokenText text={texts.get(other.id) ?? ""} /> {percent(other.probability)} · {scaleOf(colour, true).unit}{" "}
          {scaleOf(colour, true).write(changeOf(other, own, colour))}
        </p>
      )}
    </div>
  );
}
