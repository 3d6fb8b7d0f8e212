"""What is known of one value vector."""

from lm_debugger.records.base import Record
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.token import PromotedToken


class ValueView(Record):
    """One value vector in vocabulary space.

    Args:
        value: its name, such as `L12D345`.
        layer, expert, dimension: the parts of its name; expert is None for dense feed-forward weights.
        norm: its length in the residual stream's units.
        promotes: tokens with the largest projection, largest first.
        suppresses: tokens with the smallest projection, smallest first.
        range: how its coefficient is distributed, or None before calibration.
    """

    value: str
    layer: int
    expert: int | None
    dimension: int
    norm: float
    promotes: tuple[PromotedToken, ...]
    suppresses: tuple[PromotedToken, ...]
    range: CoefficientRange | None = None
