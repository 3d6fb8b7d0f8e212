// The model's prediction at the chosen position: top tokens with the edits, without, and how far apart they are.
import { Empty, Warning } from "../../ui/notes";
import { percent, points, short } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { visible } from "../../domain/visible";
import { useCurrentSession } from "../../run/context";
import { toggleFollowed } from "../../run/follow";
import "./output.css";

interface Row {
  id: number;
  text: string;
  base: number;
  edited: number;
  ranks?: [number, number];
}

/** How many tokens are listed above a vector's details. */
const BRIEF = 5;
const MOST = 12;

export function Output() {
  const { trace, followed, edited, view } = useCurrentSession();
  const data = trace.data;
  if (data === undefined) return trace.error ? null : <Empty title="No prediction yet" />;
  const comparison = edited ? data.comparison : null;
  const token = data.tokens[data.position];
  const next = data.tokens[data.position + 1];
  const rows: Row[] = comparison
    ? comparison.tokens.map((token) => ({
        id: token.id,
        text: token.text,
        base: token.probability_before,
        edited: token.probability_after,
        ranks: [token.rank_before, token.rank_after] as [number, number],
      }))
    : data.output.map(({ id, text, probability }) => ({ id, text, base: probability, edited: probability }));
  const most = Math.max(...rows.flatMap(({ base, edited }) => [base, edited]), 0.01);
  return (
    <section className="output" aria-labelledby="output-title">
      <h2 id="output-title" className="section-title">
        Next token
        <span className="grow" />
        {comparison && (
          <span className="kl" title="Kullback-Leibler divergence of the edited prediction from the base, in nats">
            KL {short(comparison.kl)} nats
          </span>
        )}
      </h2>
      <p className="muted output-where">
        after position {data.position} <TokenText text={token?.text ?? ""} />
        {next !== undefined && (
          <>
            , where the text goes on with <TokenText text={next.text} />
          </>
        )}
      </p>
      {comparison && !comparison.changed && <Warning>The edits leave every prediction as it was.</Warning>}
      <table className="output-table">
        <thead>
          <tr>
            <th scope="col">token</th>
            {comparison && <th scope="col">base</th>}
            <th scope="col">{comparison ? "edited" : "probability"}</th>
            {comparison && <th scope="col">Δ</th>}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, view.value === "" ? MOST : BRIEF).map(({ id, text, base, edited: now, ranks }) => {
            const place = followed.indexOf(id);
            const difference = now - base;
            return (
              <tr key={id} title={ranks ? `rank ${ranks[0]} → ${ranks[1]}` : undefined}>
                <td>
                  <button
                    type="button"
                    aria-pressed={place >= 0}
                    aria-label={`Follow ${visible(text)}`}
                    title="Follow through the layers"
                    onClick={() => toggleFollowed(id)}
                  >
                    <i style={place >= 0 ? { background: `var(--follow-${place})` } : undefined} />
                    <TokenText text={text} />
                  </button>
                  {comparison && <span className="output-bar base" style={{ width: `${(base / most) * 100}%` }} />}
                  <span className="output-bar" style={{ width: `${(now / most) * 100}%` }} />
                </td>
                {comparison && <td>{percent(base)}</td>}
                <td>{percent(now)}</td>
                {comparison && (
                  <td className={Math.abs(difference) < 5e-5 ? "muted" : difference > 0 ? "plus" : "minus"}>
                    {points(difference)}
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
