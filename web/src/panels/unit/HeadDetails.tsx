// What is known of one attention head: what it writes at the chosen place, and what its OV map copies and suppresses.
import { useQuery } from "@tanstack/react-query";
import type { HeadView } from "../../api/types";
import { headQuery } from "../../api/why";
import { asApiError } from "../../domain/failure";
import { percent, short } from "../../domain/numbers";
import { parseUnitName } from "../../domain/names";
import { useLens } from "../../run/lens";
import { editsOf } from "../../run/edits";
import { shownSide, useTrace } from "../../run/useTrace";
import { useViewPart } from "../../run/view";
import { ErrorNote } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { UnitLink } from "../links/links";
import { CopyButtons } from "./CopyButtons";
import { Waiting } from "../shell/Waiting";
import { EditMenu } from "./EditMenu";
import css from "./unit.module.css";

export function HeadDetails({ head, wide = false }: { head: string; wide?: boolean }) {
  const traced = useTrace();
  // Reading a circuit takes seconds of the model's one thread: the run that is shown beside it comes first.
  const first = !wide && traced.data === undefined;
  const { lens, known } = useLens();
  const found = useQuery({ ...headQuery(head, lens), enabled: !first && known });
  const { data, error, refetch } = found;
  const edits = editsOf(useViewPart("edits"), head);
  const layer = parseUnitName(head)?.layer ?? 0;
  const here = shownSide(traced)?.layers[layer]?.heads?.find((one) => one.head === head);
  const missing =
    error !== null && [404, 405].includes(asApiError(error).status) && asApiError(error).code !== "bad_value";
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
      {data === undefined && error === null && <Waiting query={found} doing="Reading the head…" />}
      {data !== undefined && (
        <>
          {data.opaque !== "" && <p className="muted">{data.opaque}</p>}
          <Circuit data={data} />
        </>
      )}
    </section>
  );
}

/** What it writes when it attends to a token: itself, or another. */
function Circuit({ data }: { data: HeadView }) {
  const pairs = (title: string, list: HeadView["promotes"]) =>
    list.length > 0 && (
      <div>
        <h3 className="section-title">{title}</h3>
        <ol className={css.pairs} aria-label={title}>
          {list.map(({ read, written, value }, index) => (
            <li key={index}>
              <TokenText text={read.text} /> <span className="muted">→</span> <TokenText text={written.text} />
              <span className={css.projectionNumber}>{short(value)}</span>
            </li>
          ))}
        </ol>
      </div>
    );
  return (
    <>
      {typeof data.copying === "number" && (
        <p className={css.facts} title="sum of the circuit's eigenvalues over the sum of their absolute values">
          copying {short(data.copying)}: from −1, suppresses what it reads, to 1, copies it
        </p>
      )}
      {data.copies.length > 0 && (
        <div>
          <h3 className="section-title">Copies</h3>
          <ol className={css.pairs} aria-label="Copies">
            {data.copies.map(({ id, text, value, rank }) => (
              <li key={id} title={`rank ${rank} of what it then promotes`}>
                <TokenText text={text} />
                <span className={css.projectionNumber}>{short(value)}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
      {pairs("Read → promotes", data.promotes)}
      {pairs("Read → suppresses", data.suppresses)}
    </>
  );
}
