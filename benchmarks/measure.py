"""How two pieces of work compare: run in turns, so that the machine's moods fall on both alike."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One line of the report.

    Args:
        what: what was measured.
        figure: the number, with its unit.
        target: what it should be, or "".
        met: whether the target is met, None without one.
        detail: the numbers behind the figure.
    """

    what: str
    figure: str
    target: str = ""
    met: bool | None = None
    detail: str = ""


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Ratio:
    """How two measurements compare: the median of their ratios, and of each."""

    ratio: float
    first: float
    second: float


def ratio_of(work: Callable[[], float], against: Callable[[], float], rounds: int) -> Ratio:
    """The median of two measurements' ratios over rounds of both. Each says itself how long it took."""
    pairs = []
    for index in range(rounds):
        # Whoever runs second finds warmer caches: take turns.
        if index % 2:
            first, second = work(), against()
        else:
            second, first = against(), work()
        pairs.append((first, second))
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Ratio(statistics.median(a / b for a, b in pairs), first, second)


def ratio(what: str, work: Callable[[], object], against: Callable[[], object], *, most: float, rounds: int) -> Result:
    """The median of work / against over rounds of both, after one unmeasured round."""
    work()
    against()
    found = ratio_of(lambda: seconds(work), lambda: seconds(against), rounds)
    mine, theirs = found.first * 1000, found.second * 1000
    detail = f"{mine:.1f} ms against {theirs:.1f} ms, {rounds} rounds"
    return Result(what, f"{found.ratio:.2f} ×", f"≤ {most} ×", found.ratio <= most, detail)
