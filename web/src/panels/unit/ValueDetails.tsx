// Everything known of one value vector: name and note, range, coefficient along the prompt, its tokens.
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { valueQuery } from "../../api/queries";
import { IconButton, Tip } from "../../ui/controls";
import { Empty, ErrorNote } from "../../ui/notes";
import { short } from "../../domain/numbers";
import { addEdit, editsOf } from "../../run/edits";
import type { Operation } from "../../domain/edit";
import { ValueLink } from "../links/links";
import { useCurrentSession } from "../../run/context";
import { setView } from "../../run/view";
import { ClusterLine } from "./ClusterLine";
import { Coefficients } from "./Coefficients";
import { CopyButtons } from "./CopyButtons";
import { NameForm } from "./NameForm";
import { Projection } from "./Projection";
import { Range } from "./Range";
import { Similar } from "./Similar";
import "./values.css";

/** Similar vectors listed here; the vector's page has more. */
const NEAREST = 5;

const CHOICES: readonly [Operation, string][] = [
  ["off", "off"],
  ["on", "on"],
  ["on-", "on−"],
];

export function ValueDetails({ value }: { value: string }) {
  const { view } = useCurrentSession();
  const { data, error, refetch } = useQuery(valueQuery(value));
  const edits = editsOf(view.edits, value);
  return (
    <section className="value" aria-labelledby="value-title">
      <div className="value-head">
        <h2 id="value-title">
          <ValueLink value={value} className="mono" title="Open its page">
            {value}
          </ValueLink>
        </h2>
        <CopyButtons value={value} />
        <span className="grow" />
        <IconButton label="Close" hint="Esc" className="small" onClick={() => setView({ value: "" })}>
          <X aria-hidden />
        </IconButton>
      </div>
      {error && <ErrorNote failure={error} onRetry={() => void refetch()} />}
      {data === undefined && !error && <Empty title="Reading the vector…" />}
      {data !== undefined && (
        <>
          <p className="muted value-facts">
            layer {data.layer}
            {data.expert !== null && ` · expert ${data.expert}`} · dimension {data.dimension} · length{" "}
            {short(data.norm)}
          </p>
          <div className="value-actions" role="group" aria-label="Add an edit">
            {CHOICES.map(([operation, label]) => (
              <button
                key={operation}
                type="button"
                className="button small"
                onClick={() => addEdit({ value: data.value, operation, amount: null, scope: "all" })}
              >
                <Plus aria-hidden />
                {label}
              </button>
            ))}
            {edits !== "" && (
              <Tip label={edits}>
                <span className="muted value-edited">edited</span>
              </Tip>
            )}
          </div>
          <NameForm key={`${data.value} ${data.name} ${data.note}`} data={data} />
          <Range data={data} />
          <Coefficients value={data.value} />
          <Projection promotes={data.promotes} suppresses={data.suppresses} />
          <Similar title="Nearest" values={(data.similar ?? []).slice(0, NEAREST)} tokens={4} />
          <ClusterLine cluster={data.cluster} />
        </>
      )}
    </section>
  );
}
