"""Numbers as text of a bounded length, and rows of numbers as a line of bars."""

from collections.abc import Sequence

_BARS = " ▁▂▃▄▅▆▇█"


def percent(probability: float) -> str:
    """A probability in at most 5 characters."""
    if probability >= 0.9995:
        return "100%"
    return f"{probability:.1%}" if probability >= 0.0005 else "<0.1%"


def signed(number: float) -> str:
    """A number with its sign, in at most 6 characters."""
    absolute = abs(number)
    if absolute >= 99_999 or 0 < absolute < 0.0005:
        return f"{number:+.0e}"
    digits = 0 if absolute >= 99.95 else 1 if absolute >= 9.995 else 2 if absolute >= 0.0995 or absolute == 0 else 3
    return f"{number:+.{digits}f}"


def size(number: float) -> str:
    """A number that is never negative, in at most 5 characters."""
    return signed(number)[1:]


def sparkline(counts: Sequence[int]) -> str:
    """A bar for each count, of the largest one's part; only 0 has none."""
    most = max(counts, default=0) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)
