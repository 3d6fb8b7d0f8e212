// Make another token win: the smallest edits that do it, verified, with what they do here and to other text; to be
// adopted as a concept.
import { Wrench } from "lucide-react";
import { useState } from "react";
import { useFix } from "../../api/fix";
import type { FixAnswer } from "../../api/types";
import { editsOfTexts } from "../../domain/run";
import { change, nats, percent, short } from "../../domain/numbers";
import { PROBABILITY } from "../../domain/scale";
import { visible } from "../../domain/visible";
import { addToEdits } from "../../run/edits";
import { textOfToken, type Target } from "../../run/target";
import { openUnit } from "../../run/unit";
import { useTrace } from "../../run/useTrace";
import { ComparisonTable } from "../../ui/ComparisonTable";
import { ErrorNote, Stopped, Warning } from "../../ui/notes";
import { TokenText } from "../../ui/TokenText";
import { TokenPicker } from "./TokenPicker";
import css from "./inspector.module.css";

const MOST_EDITS = 5;

export function FixPanel() {
  const { b, position, sideB, stale } = useTrace();
  const fix = useFix();
  const listed = sideB?.output ?? [];
  const [wanted, want] = useState<number | null>(null);
  const target: Target | null =
    listed.find(({ id }) => id === wanted) ?? (wanted === null ? null : { id: wanted, text: textOfToken(wanted) });
  const answer = fix.data ?? null;
  return (
    <section className={css.fix} aria-label="Fix">
      <div className={css.question}>
        <Wrench aria-hidden />
        <span>make</span>
        <TokenPicker label="Make win" chosen={target} tokens={listed.slice(1)} none="a token" onChoose={want} />
        <span>win</span>
        <span className="grow" />
        {fix.isPending ? (
          <button type="button" className="button small danger" onClick={fix.cancel}>
            Stop
          </button>
        ) : (
          <button
            type="button"
            className="button small primary"
            disabled={target === null || b === null || stale}
            title={`The smallest set of at most ${MOST_EDITS} edits, verified`}
            onClick={() =>
              b !== null && target !== null && fix.mutate({ run: b, position, target: target.id, maxEdits: MOST_EDITS })
            }
          >
            Fix
          </button>
        )}
      </div>
      {fix.error !== null && <ErrorNote failure={fix.error} />}
      {fix.stopped && <Stopped />}
      {fix.isPending && <p className={css.where}>Looking for the smallest edits, and verifying them…</p>}
      {answer !== null && !fix.isPending && <Report answer={answer} />}
    </section>
  );
}

function Report({ answer }: { answer: FixAnswer }) {
  const { success, edits, before, after, kl, side_effects: side, forwards, seconds, to, warnings } = answer;
  const ids = new Map([...before, ...after].map((token) => [token.id, token]));
  const rows = [...ids.values()].slice(0, 6).map(({ id, text }) => ({
    ...{ key: id, selected: id === to.id },
    a: before.find((token) => token.id === id)?.probability ?? null,
    b: after.find((token) => token.id === id)?.probability ?? null,
    head: <TokenText text={text} />,
  }));
  const most = Math.max(...rows.flatMap(({ a, b }) => [a ?? 0, b ?? 0]), 0.01);
  return (
    <div className={css.report} role="group" aria-label="Report of the fix">
      {success ? (
        <p>
          <b>Fixed</b> with {edits.length === 1 ? "1 edit" : `${edits.length} edits`}.
        </p>
      ) : (
        <Warning>Not found with {MOST_EDITS} edits or fewer. This is the best that was reached.</Warning>
      )}
      {warnings.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
      <ul aria-label="Edits of the fix">
        {editsOfTexts(edits).map(({ value }, index) => (
          <li key={edits[index]}>
            <button type="button" className={css.edit} onClick={() => openUnit(value)}>
              <code className="mono">{edits[index]}</code>
            </button>
          </li>
        ))}
      </ul>
      <ComparisonTable
        label="Next tokens without the fix and with it"
        head="token"
        value="probability"
        rows={rows}
        compared
        show="difference"
        names={{ a: "now", b: "fixed" }}
        scale={{ ...PROBABILITY, place: (value) => PROBABILITY.place(value / most) }}
        write={percent}
        writeBoth={change}
        floor={5e-5}
      />
      <p className={css.where}>
        KL {nats(kl)} nats here
        {side !== null && (
          <>
            ; on {side.prompts} other texts {nats(side.kl)} nats, {percent(side.changed)} of top tokens changed (random
            edits of equal size: {nats(side.random_kl)})
          </>
        )}{" "}
        · {forwards} texts run in {short(seconds)} s
      </p>
      {edits.length > 0 && (
        <button
          type="button"
          className="button small"
          onClick={() => addToEdits(editsOfTexts(edits), `fix ${visible(to.text)}`)}
        >
          Adopt the edits
        </button>
      )}
    </div>
  );
}
