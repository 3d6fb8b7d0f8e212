"""The logit lens over many layers and positions at once: columns of numbers, small enough for a large model."""

from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.token import Token


class TokenGrid(Record):
    """One chosen token in every cell of a grid.

    Args:
        rank: its rank in each cell, [layer][position], from 1.
        probability: its probability in each cell.
    """

    id: int
    text: str
    rank: tuple[tuple[int, ...], ...]
    probability: tuple[tuple[float, ...], ...]


class LensGrid(Record):
    """The lens after each layer, at each position. Probabilities and entropies are rounded to 6 decimals.

    Args:
        tokens: the tokens of the positions read.
        layers: the layers read, in order.
        positions: the positions read, in order.
        id: the most probable token of each cell, [layer][position]: places in `layers` and `positions`.
        texts: text of each id that occurs.
        probability: the most probable token's probability.
        entropy: of the cell's distribution, in nats.
        surprise: for each position, −log of the probability that the model gave to the token there, in nats;
            None at position 0.
        token: a chosen token in every cell, or None.
        interventions: the edits in force, in their canonical text.
        lens: through which the cells are read.
    """

    tokens: tuple[Token, ...]
    layers: tuple[int, ...]
    positions: tuple[int, ...]
    id: tuple[tuple[int, ...], ...]
    texts: dict[int, str]
    probability: tuple[tuple[float, ...], ...]
    entropy: tuple[tuple[float, ...], ...]
    surprise: tuple[float | None, ...]
    token: TokenGrid | None = None
    interventions: tuple[str, ...] = ()
    lens: str = LOGIT
