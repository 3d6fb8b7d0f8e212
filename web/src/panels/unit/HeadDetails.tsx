// What is known of one attention head: what it writes at the chosen place, and what its OV map copies and suppresses.
import { useQuery } from "@tanstack/react-query";
import { headQuery } from "../../api/why";
import type { HeadToken } from "../../api/types";
import { asApiError } from "../../domain/failure";
import { percent, short } from "../../domain/numbers";
import { parseUnitName } from "../../domain/names";
import { editsOf } from "../../run/edits";
import { shownSide, useTrace } from "../../run/useTrace";
import { useViewPart } from "../../run/view";
import { Empty, ErrorNote } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { UnitLink } from "../links/links";
import { CopyButtons } from "./CopyButtons";
import { EditMenu } from "./EditMenu";
import { Projection } from "./Projection";
import css from "./unit.module.css";

export function HeadDetails({ head, wide = false }: { head: string; wide?: boolean }) {
  const { data, error, refetch } = useQuery(headQuery(head));
  const traced = useTrace();
  const edits = editsOf(useViewPart("edits"), head);
  const layer = parseUnitName(head)?.layer ?? 0;
  const here = shownSide(traced)?.layers[layer]?.heads?.find((one) => one.head === head);
  const missing =
    error !== null && [404, 405].includes(asApiError(error).status) && asApiError(error).code !== "bad_value";
  const tokens = (list: readonly HeadToken[] | undefined) =>
    (list ?? []).map(({ id, text, logit, score }) => ({ id, text, logit: logit ?? score ?? 0 }));
  return (
    <section className={wide ? css.wideHead : css.unit} aria-label={wide ? undefined : head}>
      {!wide && (
        <div className={css.head}>
          <h2>
            <UnitLink value={head} className="mono" title="Open its page">
              {head}
            </UnitLink>
          </h2>
          <CopyButtons value={head} />
          <span className="grow" />
          <EditMenu unit={head} />
        </div>
      )}
      <p className={css.facts}>
        attention head {parseUnitName(head)?.dimension} of layer {layer}
        {here !== undefined &&
          ` · writes ${short(here.norm)} here, ${percent(Math.abs(here.share))} of the layer’s attention`}
        {edits !== "" && <b className={css.edited}> · {edits}</b>}
      </p>
      {here?.promotes !== undefined && here.promotes.length > 0 && (
        <div>
          <h3 className="section-title">Promotes here</h3>
          <p className={css.hereTokens}>
            {here.promotes.map((text, index) => (
              <TokenText key={index} text={text} />
            ))}
          </p>
        </div>
      )}
      {missing ? (
        <p className="muted">This server does not tell what heads copy.</p>
      ) : (
        error !== null && <ErrorNote failure={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Empty title="Reading the head…" />}
      {data !== undefined && (
        <>
          <h3 className="section-title">By its OV map</h3>
          <Projection promotes={tokens(data.copies)} suppresses={tokens(data.suppresses)} searching={wide} />
        </>
      )}
    </section>
  );
}
