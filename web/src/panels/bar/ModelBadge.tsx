// The model's name and device; a click shows its size and the proof of its anatomy.
import { useQuery } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { healthQuery, modelQuery } from "../../api/queries";
import { Popover } from "../../ui/controls";
import { scientific, thousands } from "../../domain/numbers";
import css from "./bar.module.css";

export function ModelBadge() {
  const health = useQuery(healthQuery());
  const { data } = useQuery(modelQuery(health.data?.status === "ready"));
  const model = data?.model;
  if (data === undefined || model === undefined) {
    return (
      <div className={css.badge}>
        <img src="/favicon.svg" alt="" />
        <b>LM-Debugger</b>
      </div>
    );
  }
  const facts: [string, string][] = [
    ["Architecture", model.architecture],
    ["Parameters", thousands(model.parameters)],
    ["Layers × width", `${model.layers} × ${model.hidden_size}`],
    ["Value vectors", thousands(model.value_vectors)],
    ["Vocabulary", thousands(model.vocabulary)],
    ["Context", model.context === null ? "no stated limit" : `${thousands(model.context)} tokens`],
    ["Runs in", `${model.dtype} on ${model.device}`],
    ["Fingerprint", model.fingerprint],
    ...(data.other ? [["Bisected with", `${data.other.name}, ${data.other.dtype}`] as [string, string]] : []),
  ];
  return (
    <Popover
      label="About the model"
      trigger={
        <button type="button" className={css.badge} aria-label={`Model ${model.name} on ${model.device}: details`}>
          <img src="/favicon.svg" alt="" />
          <b>{model.name}</b>
          <span>{model.device}</span>
        </button>
      }
    >
      <dl className={css.facts}>
        {facts.map(([name, fact]) => [<dt key={name}>{name}</dt>, <dd key={`${name} is`}>{fact}</dd>])}
      </dl>
      <ul className={css.checks} aria-label="Proof of the anatomy">
        {data.examination.checks.map((check) => (
          <li key={check.invariant}>
            {check.passed ? <Check aria-label="holds" /> : <X aria-label="fails" />}
            <b>{check.invariant}</b>
            <span>{check.statement}</span>
            <span className="muted">{scientific(check.error)}</span>
          </li>
        ))}
      </ul>
    </Popover>
  );
}
