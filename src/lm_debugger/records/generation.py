"""How to continue a prompt, and what generation answers: the continuation, and the same without edits."""

from typing import Annotated

from pydantic import AfterValidator, Field

from lm_debugger.errors import OptionError
from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.options import Options
from lm_debugger.records.watch import WatchSeries

COLDEST = 1e-4  # below it, scores divided by the temperature may overflow


def _not_too_cold(temperature: float) -> float:
    if 0 < temperature < COLDEST:
        raise OptionError(f"temperature is {temperature}.", f"It must be 0 (greedy) or at least {COLDEST}.")
    return temperature


Temperature = Annotated[float, Field(ge=0, le=100), AfterValidator(_not_too_cold)]
TopK = Annotated[int, Field(ge=1, le=2**31 - 1)]
TopP = Annotated[float, Field(gt=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]  # JSON's numbers are exact below it


class Sampling(Options):
    """How the next token is chosen.

    Args:
        temperature: 0 for greedy; else scores are divided by it.
        top_k: keep the k most probable tokens, None for all.
        top_p: keep the most probable tokens that hold this much probability, None for all.
        seed: of the noise.

    Raises:
        OptionError: if a number is out of its bounds.
    """

    temperature: Temperature = 0.0
    top_k: TopK | None = None
    top_p: TopP | None = None
    seed: Seed = 0


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
        lens: by which words become directions of the residual stream, where an edit names one.
        watches: those that were asked for, along the tokens.
    """

    prompt: str
    text: str
    tokens: tuple[GeneratedToken, ...]
    finish: str
    interventions: tuple[str, ...] = ()
    baseline: Continuation | None = None
    warnings: tuple[str, ...] = ()
    lens: str = LOGIT
    watches: tuple[WatchSeries, ...] = ()
