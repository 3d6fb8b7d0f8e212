// What stands in place of an answer that is not there: what is wrong, that it was cancelled, that it is being made.
import type { ReactNode } from "react";
import type { Asked } from "../../run/usePatch";
import { Empty, ErrorNote, Warning } from "../../ui/notes";
import { Cancelled } from "../shell/Waiting";
import css from "./patch.module.css";

interface Props<T> {
  asked: Asked<T>;
  /** What the model does meanwhile. */
  doing: string;
  children: (answer: T) => ReactNode;
}

export function Answered<T extends { warnings?: readonly string[] }>({ asked, doing, children }: Props<T>) {
  const { answer, failure, waiting, stale, stopped, retry } = asked;
  const old = stale || waiting;
  return (
    <>
      {failure !== null && <ErrorNote failure={failure} onRetry={retry} />}
      {stopped && <Cancelled />}
      {answer === undefined && waiting && <Empty title={doing} />}
      {answer !== undefined && failure === null && (
        <div className={css.answer} data-stale={old} aria-busy={old}>
          {answer.warnings?.map((warning) => (
            <Warning key={warning}>{warning}</Warning>
          ))}
          {children(answer)}
        </div>
      )}
    </>
  );
}
