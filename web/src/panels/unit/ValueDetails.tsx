// Everything known of one value vector: name and note, range, coefficient along the prompt, its tokens. In the inspector
// one below the other; on its own page wide, with its words as clouds, more neighbours, and a trial.
import { useQuery } from "@tanstack/react-query";
import { valueQuery } from "../../api/queries";
import type { NamedValue } from "../../api/types";
import { canonicalName } from "../../domain/names";
import { lensName } from "../../domain/lens";
import { percent, short } from "../../domain/numbers";
import { editsOf } from "../../run/edits";
import { useLens } from "../../run/lens";
import { useCoefficients } from "../../run/useCoefficients";
import { useViewPart } from "../../run/view";
import { Tip } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { WordCloud } from "../../ui/WordCloud";
import { ExploreLink, UnitLink } from "../links/links";
import { ClusterLine } from "./ClusterLine";
import { Coefficients } from "./Coefficients";
import { CopyButtons } from "./CopyButtons";
import { Waiting } from "../shell/Waiting";
import { EditMenu } from "./EditMenu";
import { NameForm } from "./NameForm";
import { Projection } from "./Projection";
import { Range } from "./Range";
import { Similar } from "./Similar";
import { TryIt } from "./TryIt";
import css from "./unit.module.css";

/** Similar vectors listed in the inspector; the page has more. */
const NEAREST = 5;

export function ValueDetails({ value, wide = false }: { value: string; wide?: boolean }) {
  const { lens, known } = useLens();
  const found = useQuery({
    ...valueQuery(canonicalName(value) ?? value, lens),
    enabled: known && value !== "",
  });
  const { data, error, refetch } = found;
  return (
    <section className={wide ? css.wide : css.unit} aria-label={wide ? undefined : value}>
      {!wide && (
        <div className={css.head}>
          <h2>
            <UnitLink value={value} className="mono" title="Open its page">
              {value}
            </UnitLink>
          </h2>
          <CopyButtons value={value} />
          <span className="grow" />
          <EditMenu unit={value} />
        </div>
      )}
      {error && <ErrorNote failure={error} onRetry={() => void refetch()} />}
      {data === undefined && !error && <Waiting query={found} doing="Reading the vector…" />}
      {data !== undefined && (wide ? <Wide data={data} /> : <Narrow data={data} />)}
    </section>
  );
}

/** Its words are read through a lens: which one. */
function Through({ data }: { data: NamedValue }) {
  return <p className={css.facts}>Its words through the {lensName(data.lens)}:</p>;
}

function Facts({ data }: { data: NamedValue }) {
  const edits = editsOf(useViewPart("edits"), data.value);
  return (
    <p className={css.facts}>
      layer {data.layer}
      {data.expert !== null && ` · expert ${data.expert}`} · dimension {data.dimension} · length {short(data.norm)} ·{" "}
      <span title="0.27% for a normal distribution: more means that it speaks of particular words">
        {percent(data.outliers)} of the vocabulary above 3σ
      </span>
      {edits !== "" && (
        <Tip label={edits}>
          <b className={css.edited}> · edited</b>
        </Tip>
      )}
    </p>
  );
}

function Narrow({ data }: { data: NamedValue }) {
  const here = useCoefficients(data.value).data?.here;
  return (
    <>
      <Facts data={data} />
      <NameForm key={`${data.value} ${data.name} ${data.note}`} data={data} />
      <Through data={data} />
      <Projection promotes={data.promotes} suppresses={data.suppresses} here={here} />
      <Range data={data} />
      <Coefficients value={data.value} />
      <Similar title="Nearest" values={(data.similar ?? []).slice(0, NEAREST)} tokens={4} />
      <ClusterLine cluster={data.cluster} />
    </>
  );
}

function Wide({ data }: { data: NamedValue }) {
  return (
    <>
      <div className={css.card}>
        <Through data={data} />
        <Words data={data} />
        <Projection promotes={data.promotes} suppresses={data.suppresses} searching />
      </div>
      <div className={css.side}>
        <TryIt value={data.value} range={data.range ?? null} />
        <div className={css.card}>
          <Facts data={data} />
          <NameForm key={`${data.value} ${data.name} ${data.note}`} data={data} />
          <Range data={data} />
          <Coefficients value={data.value} />
        </div>
        <div className={css.card}>
          <ClusterLine cluster={data.cluster} />
          <Similar title="Nearest" values={data.similar ?? []} />
          <Similar title="Opposite" values={data.opposite ?? []} />
          <p>
            <ExploreLink to={{ like: data.value }}>All vectors like {data.value}</ExploreLink>
          </p>
        </div>
      </div>
    </>
  );
}

function Words({ data }: { data: NamedValue }) {
  const words = (tokens: NamedValue["promotes"]) => tokens.map(({ text, logit }) => ({ text, weight: logit }));
  return (
    <div className={css.clouds}>
      <section aria-labelledby="promoted">
        <h2 id="promoted" className="section-title">
          Promotes <span className="muted">with a positive coefficient</span>
        </h2>
        <WordCloud label="Promotes" words={words(data.promotes)} height={300} />
      </section>
      <section aria-labelledby="suppressed">
        <h2 id="suppressed" className="section-title">
          Suppresses <span className="muted">promotes with a negative one</span>
        </h2>
        <WordCloud label="Suppresses" words={words(data.suppresses)} side="minus" height={300} />
      </section>
    </div>
  );
}
