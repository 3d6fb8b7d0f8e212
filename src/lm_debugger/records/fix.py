"""The smallest edits that make a wanted token the top one, and what they do elsewhere."""

from typing import Annotated

from pydantic import ConfigDict, Field

from lm_debugger.records.base import Record
from lm_debugger.records.options import Options
from lm_debugger.records.token import TokenScore

MaxEdits = Annotated[int, Field(ge=1, le=50)]
Forwards = Annotated[int, Field(ge=10, le=100_000)]
Case = Annotated[str, Field(min_length=1)]


class FixOptions(Options):
    """How a fix is searched for.

    Args:
        max_edits: the most edits that it may take.
        budget: texts that may be run to find it; what was found by then is the answer.
        side_effects: whether to measure what the edits do to other texts.
        seed: of the samples that the search draws.

    Raises:
        OptionError: if a number is out of its bounds.
    """

    max_edits: MaxEdits = 5
    budget: Forwards = 1500
    side_effects: bool = True
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0


class FixCase(Record):
    """One line of a file of cases that are to be fixed together.

    Args:
        prompt: a text.
        target: the token wanted after it.
        position: where; negative ones count from the end.
    """

    prompt: Case
    target: Case
    position: int = -1


class EffectSummary(Record):
    """What edits do to texts that they are not meant for, in brief.

    Args:
        prompts: how many texts.
        kl: Kullback-Leibler divergence of the predictions with the edits from those without, in nats, the mean over all
            positions of all texts.
        changed: the part of these positions at which another token is the top one, 0 to 1.
        random_kl: the same divergence for random edits of equal size in the same layers.
    """

    prompts: int
    kl: float
    changed: float
    random_kl: float


class Fix(Record):
    """The edits that make a wanted token the top one after a prompt, or the best that was found.

    Everything that is said of the prediction comes from a fresh run with `edits`.

    Args:
        prompt: the text.
        position: where the prediction is read; it predicts the token at `position + 1`.
        from_: the top token before. In JSON it is called `from`.
        to: the token wanted, as it is before. Where several are wanted, the one that was aimed at.
        success: whether a wanted token is the top one with the edits.
        edits: in their canonical text; none if the token is the top one already.
        before, after: the top tokens without and with the edits; in `after` the token wanted is always there.
        kl: divergence of the prediction with the edits from the one without, in nats.
        side_effects: on other texts; None if it was not measured.
        forwards: texts that were run to find it, gradients and side effects included.
        seconds: time that it took.
        interventions: edits in force before and after.
        warnings: what the user should know.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    prompt: str
    position: int
    from_: TokenScore = Field(alias="from")
    to: TokenScore
    success: bool
    edits: tuple[str, ...]
    before: tuple[TokenScore, ...]
    after: tuple[TokenScore, ...]
    kl: float
    side_effects: EffectSummary | None
    forwards: int
    seconds: float
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Fixes(Record):
    """Several predictions fixed with one set of edits.

    Args:
        fixes: each prompt's outcome with all of the edits; `forwards` and `seconds` are those of the whole.
        success: whether all succeeded.
        fixed: how many did.
        edits: of all.
        kl: mean of the fixes' divergences.
        side_effects, forwards, seconds, warnings: as in a fix.
    """

    fixes: tuple[Fix, ...]
    success: bool
    fixed: int
    edits: tuple[str, ...]
    kl: float
    side_effects: EffectSummary | None
    forwards: int
    seconds: float
    warnings: tuple[str, ...] = ()
