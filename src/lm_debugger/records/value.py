"""What is known of one value vector."""

from lm_debugger.records.base import Record
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.token import PromotedToken


class SimilarValue(Record):
    """A value vector close to another one.

    Args:
        cosine: of the angle between the two in the residual stream, -1 to 1.
        promotes: the tokens that it promotes, strongest first.
    """

    value: str
    cosine: float
    promotes: tuple[str, ...]
    name: str | None = None


class ClusterOfValue(Record):
    """The cluster that a value vector belongs to.

    Args:
        id: of the cluster in its clustering.
        name: the user's name, else the automatic one.
        size: number of members.
        cosine: of the vector with the cluster's centre.
    """

    id: int
    name: str
    size: int
    cosine: float


class ValueView(Record):
    """One value vector in vocabulary space.

    Args:
        value: its name, such as `L12D345`.
        layer, expert, dimension: the parts of its name; expert is None for dense feed-forward weights.
        norm: its length in the residual stream's units.
        outliers: part of the vocabulary that it promotes or suppresses by more than 3 standard deviations, 0 to 1
            (0.0027 for a normal distribution).
        promotes: tokens with the largest projection, largest first.
        suppresses: tokens with the smallest projection, smallest first.
        range: how its coefficient is distributed, or None before calibration.
        similar: the vectors with the largest cosine, largest first.
        opposite: the vectors with the smallest cosine, smallest first.
        cluster: its cluster, or None before clusters were made.
        lens: through which its tokens are read.
    """

    value: str
    layer: int
    expert: int | None
    dimension: int
    norm: float
    outliers: float
    promotes: tuple[PromotedToken, ...]
    suppresses: tuple[PromotedToken, ...]
    range: CoefficientRange | None = None
    similar: tuple[SimilarValue, ...] = ()
    opposite: tuple[SimilarValue, ...] = ()
    cluster: ClusterOfValue | None = None
    lens: str = LOGIT
