"""What edits do beyond the prediction that they are meant for: over a range of strengths, and to other texts."""

from typing import Annotated, Literal

from pydantic import Field

from lm_debugger.records.base import Record
from lm_debugger.records.token import TokenScore

Points = Annotated[int, Field(ge=2, le=101)]
SweptOperation = Literal["set", "add", "scale"]


class SweepPoint(Record):
    """A prediction with one unit at one strength.

    Args:
        strength: the number of the edit.
        edit: in its canonical text, to be used as it is.
        probability: of the token that is followed.
        rank: its rank among all tokens, from 1.
        kl: divergence of the prediction from the one without the edit, in nats.
        top: the top token.
    """

    strength: float
    edit: str
    probability: float
    rank: int
    kl: float
    top: TokenScore


class Sweep(Record):
    """A prediction over a range of strengths of one edit.

    Args:
        unit: the unit's name.
        operation: what the strength is: the coefficient's value (`set`), what is added to it (`add`), or a factor
            (`scale`).
        coefficient: the unit's own coefficient at the position; None for a head.
        target: the token that is followed, as it is without the edit.
        rank: its rank without the edit, from 1.
        points: from the weakest strength to the strongest.
    """

    prompt: str
    position: int
    unit: str
    operation: SweptOperation
    coefficient: float | None
    target: TokenScore
    rank: int
    points: tuple[SweepPoint, ...]
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class TextEffect(Record):
    """What edits do to one text. Divergences in nats, means over its positions.

    Args:
        text: the text.
        kl: divergence of the predictions with the edits from those without.
        worst: the position of the largest one.
        changed: part of the positions at which another token is the top one, 0 to 1.
        perplexity, perplexity_after: of the text, without and with the edits.
        continuation, continuation_after: how the model goes on from the text, sampled under the same noise; None if
            that was not asked for.
    """

    text: str
    kl: float
    worst: int
    changed: float
    perplexity: float
    perplexity_after: float
    continuation: str | None = None
    continuation_after: str | None = None


class SideEffects(Record):
    """What edits do to texts that they are not meant for.

    Args:
        interventions: the edits.
        prompts: how many texts.
        kl, changed, perplexity, perplexity_after: as of a text, over all positions of all texts.
        random_kl, random_changed: the same for random edits of equal size in the same layers.
        texts: each of them, the one with the largest divergence first.
    """

    interventions: tuple[str, ...]
    prompts: int
    kl: float
    changed: float
    perplexity: float
    perplexity_after: float
    random_kl: float
    random_changed: float
    texts: tuple[TextEffect, ...]
