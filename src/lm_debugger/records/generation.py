"""What generation answers: the continuation, its log-probabilities, and the same without edits."""

from lm_debugger.records.base import Record


class GeneratedToken(Record):
    """One generated token.

    Args:
        logprob: natural logarithm of its probability under the model as it ran (edits included), before
            temperature, top-k and top-p.
    """

    id: int
    text: str
    logprob: float


class Continuation(Record):
    """A generated text, token by token.

    Args:
        finish: why it ended: `length`, `end` (end-of-text token), `stop` (a stop string) or `cancelled`.
    """

    text: str
    tokens: tuple[GeneratedToken, ...]
    finish: str


class Generation(Record):
    """A continuation of a prompt.

    Args:
        prompt: the text that was continued (after the chat template, when one was asked for).
        text: the continuation alone.
        interventions: the edits in force, in their canonical text.
        baseline: the same prompt, sampling noise and limits without the edits, or None when there are none.
        warnings: what the user should know.
    """

    prompt: str
    text: str
    tokens: tuple[GeneratedToken, ...]
    finish: str
    interventions: tuple[str, ...] = ()
    baseline: Continuation | None = None
    warnings: tuple[str, ...] = ()
