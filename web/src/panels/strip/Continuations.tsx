// The continuation with the edits beside the one without.
import { ErrorNote, Warning } from "../../ui/notes";
import { useCurrentSession } from "../../run/context";
import { SideBySide } from "./SideBySide";
import "./generation.css";

export function Continuations() {
  const { generation, edited, view } = useCurrentSession();
  if (view.generate === 0) return null;
  const { result, tokens, error } = generation;
  const baseline = edited ? (result?.baseline ?? null) : null;
  if (error === null && baseline === null && !(edited && generation.running)) return null;
  return (
    <section className="continuations" aria-label="Continuations">
      {error !== null && <ErrorNote failure={error} />}
      {edited && <SideBySide base={baseline?.tokens ?? null} edited={tokens} />}
      {result?.warnings?.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
    </section>
  );
}
