// The page of one unit: what the inspector shows of it, wide, with the way back and to its neighbours.
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { modelQuery, valueQuery } from "../../api/queries";
import { canonicalName, isHead, parseUnitName } from "../../domain/names";
import { besides, widthOf } from "../../domain/neighbour";
import { CopyButtons } from "../../panels/unit/CopyButtons";
import { EditMenu } from "../../panels/unit/EditMenu";
import { HeadDetails } from "../../panels/unit/HeadDetails";
import { ValueDetails } from "../../panels/unit/ValueDetails";
import { UnitLink } from "../../panels/links/links";
import { useExplore } from "../../run/explore";
import css from "./explore.module.css";

export function UnitPage({ unit }: { unit: string }) {
  const shown = canonicalName(unit) ?? unit;
  return (
    <main className={css.explore} data-page="explore">
      <Head unit={shown} />
      {isHead(shown) ? <HeadDetails head={shown} wide /> : <ValueDetails value={shown} wide />}
    </main>
  );
}

function Head({ unit }: { unit: string }) {
  const { q, like, residual, tab } = useExplore();
  const { data: report } = useQuery(modelQuery(true));
  const { data } = useQuery({ ...valueQuery(unit), enabled: !isHead(unit) });
  const known = isHead(unit) || data !== undefined;
  const width =
    data === undefined || report === undefined
      ? null
      : widthOf(report.model.value_vectors, report.model.layers, data.expert);
  const back = tab === "clusters" ? "the clusters" : q || like || residual !== null ? "the results" : "the search";
  return (
    <header className={css.unitHead}>
      <UnitLink className="button small quiet" value="">
        <ChevronLeft aria-hidden />
        To {back}
      </UnitLink>
      <div className={css.unitTitle}>
        <h1>
          {data?.name ? (
            <>
              {data.name} <small className="mono muted">{unit}</small>
            </>
          ) : (
            <span className="mono">{unit}</span>
          )}
        </h1>
        <CopyButtons value={unit} />
        {known && parseUnitName(unit) !== null && <EditMenu unit={unit} />}
        <span className="grow" />
        {known && (
          <nav className={css.unitSteps} aria-label="Neighbours">
            <Step id="previous-unit" value={besides(unit, -1, width)} />
            <Step id="next-unit" value={besides(unit, 1, width)} />
          </nav>
        )}
      </div>
    </header>
  );
}

function Step({ id, value }: { id: string; value: string | null }) {
  const forward = id === "next-unit";
  if (value === null) return null;
  return (
    <UnitLink id={id} className="button small" value={value} aria-label={`${forward ? "Next" : "Previous"}: ${value}`}>
      {!forward && <ChevronLeft aria-hidden />}
      <span className="mono">{value}</span>
      {forward && <ChevronRight aria-hidden />}
    </UnitLink>
  );
}
