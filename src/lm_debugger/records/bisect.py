"""Where two runs part: the layer, part and units at which taking over the other's activations flips the answer."""

from typing import Annotated, Literal

from pydantic import Field

from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.token import Token, TokenScore

BisectPart = Literal["attention", "ffn", "layer", "embedding", "read-out"]
MaxNewTokens = Annotated[int, Field(ge=0, le=limits.BISECT_TOKENS_MOST)]


class Swap(Record):
    """One swap that was run.

    Args:
        what: what was taken over from the other run, in words.
        lead: logit of the other run's answer minus that of this one's afterwards.
        flips: whether the other run's answer is the top token then.
    """

    what: str
    lead: float
    flips: bool


class Bisection(Record):
    """Where the difference between two runs' answers lies.

    A swap puts the other run's activations in the place of this one's; what follows is computed from them. What is
    named is the place at which the answer tips: with everything before it taken over it stays, with it as well it is
    the other run's.

    Args:
        answer: this run's top token.
        other: the other run's, as it is here.
        layer: the layer at which the answer tips; None where the answers are the same, or the read-out decides.
        position: where the swap is made; with several, the one that weighs most.
        part: what tips it: what the layer's `attention` or feed-forward (`ffn`) gives, the `layer` as a whole where it
            is neither of them alone, the `embedding`, or the `read-out`.
        units: the fewest heads or value vectors found whose contributions, taken over, tip it by themselves.
        flips: whether the swap of the units (or of the part, if no units are named) was run and flipped the answer.
        positions: at all of these the swap is made.
        tokens: of this run.
        other_tokens: of the other run.
        read: the position whose prediction is compared.
        generated: tokens that both runs wrote alike before they differ (between two models).
        aligned: for each position of this run that of the other; None for none.
        cells: for each layer and position the lead of the other answer (as in `Swap`), where the stream after the layer
            is taken over there alone; None where it was not run.
        frontier: for each layer the lead where the stream after it is taken over at all of the positions that count.
        swaps: the proof, in order.
    """

    answer: TokenScore
    other: TokenScore
    layer: int | None
    position: int | None
    part: BisectPart | None
    units: tuple[str, ...]
    flips: bool
    positions: tuple[int, ...] = ()
    tokens: tuple[Token, ...] = ()
    other_tokens: tuple[Token, ...] = ()
    read: int = 0
    generated: int = 0
    aligned: tuple[int | None, ...] = ()
    cells: tuple[tuple[float | None, ...], ...] = ()
    frontier: tuple[float, ...] = ()
    swaps: tuple[Swap, ...] = ()
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
