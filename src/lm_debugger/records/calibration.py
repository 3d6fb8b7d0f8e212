"""The measured range of coefficients: what `on` and `on-` mean for each value vector."""

from lm_debugger.records.base import Record


class CoefficientRange(Record):
    """How one coefficient is distributed over the calibration text, in raw coefficient units.

    Args:
        low: 0.1 % quantile: the value of `on-`.
        quantile_01: 1 % quantile.
        quantile_99: 99 % quantile.
        high: 99.9 % quantile: the value of `on`.
        mean: mean.
        deviation: standard deviation.
        tokens: number of tokens seen; in a mixture of experts, tokens routed to the expert.
    """

    low: float
    quantile_01: float
    quantile_99: float
    high: float
    mean: float
    deviation: float
    tokens: int


class CalibrationSummary(Record):
    """A finished calibration.

    Args:
        fingerprint: the model it belongs to.
        source: `self-generated` or the name of the text file.
        tokens: tokens measured.
        value_vectors: vectors measured.
        seconds: time it took, 0 when it came from the cache.
        cached: whether it came from the cache.
    """

    fingerprint: str
    source: str
    tokens: int
    value_vectors: int
    seconds: float
    cached: bool
