// The page of one value vector: its words, its neighbours, its cluster, and what it does to a prediction.
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { modelQuery, valueQuery } from "../../api/queries";
import type { NamedValue } from "../../api/types";
import { Empty, ErrorNote } from "../../ui/notes";
import { percent, short } from "../../domain/numbers";
import { WordCloud } from "../../ui/WordCloud";
import { canonicalName } from "../../domain/edit";
import { ExploreLink, ValueLink } from "../../panels/links/links";
import { useExplore } from "../../run/explore";
import { ClusterLine } from "../../panels/unit/ClusterLine";
import { Coefficients } from "../../panels/unit/Coefficients";
import { CopyButtons } from "../../panels/unit/CopyButtons";
import { NameForm } from "../../panels/unit/NameForm";
import { besides, widthOf } from "../../domain/neighbour";
import { Projection } from "../../panels/unit/Projection";
import { Range } from "../../panels/unit/Range";
import { Similar } from "../../panels/unit/Similar";
import { TryIt } from "../../panels/unit/TryIt";
import "../../panels/unit/values.css";
import "./vector.css";

export function VectorPage({ value }: { value: string }) {
  const { data, error, refetch } = useQuery(valueQuery(canonicalName(value) ?? value));
  const shown = data?.value ?? canonicalName(value) ?? value;
  return (
    <main className="explore vector">
      <Head value={shown} data={data} />
      {error !== null && <ErrorNote failure={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Empty title="Reading the vector…" />}
      {data !== undefined && (
        <div className="vector-parts">
          <div className="vector-words">
            <Words data={data} />
            <Projection promotes={data.promotes} suppresses={data.suppresses} searching />
          </div>
          <div className="vector-side">
            <TryIt value={data.value} range={data.range ?? null} />
            <div className="vector-card">
              <NameForm key={`${data.value} ${data.name} ${data.note}`} data={data} />
              <Range data={data} />
              <Coefficients value={data.value} />
            </div>
            <div className="vector-card">
              <ClusterLine cluster={data.cluster} />
              <Similar title="Nearest" values={data.similar ?? []} />
              <Similar title="Opposite" values={data.opposite ?? []} />
              <p>
                <ExploreLink to={{ like: data.value }}>All vectors like {data.value}</ExploreLink>
              </p>
            </div>
          </div>
        </div>
      )}
    </main>
  );
}

function Head({ value, data }: { value: string; data: NamedValue | undefined }) {
  const { q, like, residual, tab } = useExplore();
  const { data: report } = useQuery(modelQuery(true));
  const width =
    data === undefined || report === undefined
      ? null
      : widthOf(report.model.value_vectors, report.model.layers, data.expert);
  const back = tab === "clusters" ? "the clusters" : q || like || residual !== null ? "the results" : "the search";
  return (
    <header className="vector-head">
      <ValueLink className="button small quiet" value="">
        <ChevronLeft aria-hidden />
        To {back}
      </ValueLink>
      <div className="vector-title">
        <h1>
          {data?.name ? (
            <>
              {data.name} <small className="mono muted">{value}</small>
            </>
          ) : (
            <span className="mono">{value}</span>
          )}
        </h1>
        <CopyButtons value={value} />
        <span className="grow" />
        {data !== undefined && (
          <nav className="vector-steps" aria-label="Dimensions">
            <Step id="previous-dimension" value={besides(value, -1, width)} />
            <Step id="next-dimension" value={besides(value, 1, width)} />
          </nav>
        )}
      </div>
      {data !== undefined && (
        <p className="muted">
          layer {data.layer}
          {data.expert !== null && ` · expert ${data.expert}`} · dimension {data.dimension} · length {short(data.norm)}{" "}
          ·{" "}
          <span title="0.27% for a normal distribution: more means that it speaks of particular words">
            {percent(data.outliers)} of the vocabulary above 3σ
          </span>
        </p>
      )}
    </header>
  );
}

function Step({ id, value }: { id: string; value: string | null }) {
  const forward = id === "next-dimension";
  if (value === null) return null;
  return (
    <ValueLink id={id} className="button small" value={value} aria-label={`${forward ? "Next" : "Previous"}: ${value}`}>
      {!forward && <ChevronLeft aria-hidden />}
      <span className="mono">{value}</span>
      {forward && <ChevronRight aria-hidden />}
    </ValueLink>
  );
}

function Words({ data }: { data: NamedValue }) {
  const words = (tokens: NamedValue["promotes"]) => tokens.map(({ text, logit }) => ({ text, weight: logit }));
  return (
    <div className="vector-clouds">
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
