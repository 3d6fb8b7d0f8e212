// What stands where an answer is on its way: what the model does for it, or that it was cancelled and how to have it.
import { useRunAgain, wasGivenUp } from "../../run/again";
import { Empty, Warning } from "../../ui/notes";

/** Cancelling gives up all that is under way; so one button anywhere asks for all of it again. */
export function Cancelled({ said = "Cancelled." }: { said?: string }) {
  const again = useRunAgain();
  return (
    <Warning>
      {said}{" "}
      <button type="button" className="button small" onClick={again}>
        Run
      </button>
    </Warning>
  );
}

interface Props {
  query: Parameters<typeof wasGivenUp>[0];
  /** What the model does meanwhile. */
  doing: string;
}

export const Waiting = ({ query, doing }: Props) => (wasGivenUp(query) ? <Cancelled /> : <Empty title={doing} />);
