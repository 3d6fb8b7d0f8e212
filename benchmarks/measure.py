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


def ratio(what: str, work: Callable[[], object], against: Callable[[], object], *, most: float, rounds: int) -> Result:
    """The median of work / against over rounds of both, after one unmeasured round."""
    work()
    against()
    pairs = []
    for index in range(rounds):
        # Whoever runs second finds warmer caches: take turns.
        if index % 2:
            first, second = seconds(work), seconds(against)
        else:
            second, first = seconds(against), seconds(work)
        pairs.append((first, second))
    found = statistics.median(a / b for a, b in pairs)
    mine, theirs = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    return Result(
        what, f"{found:.2f} ×", f"≤ {most} ×", found <= most, f"{mine:.1f} ms against {theirs:.1f} ms, {rounds} rounds"
    )
