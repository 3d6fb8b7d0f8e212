"""What needs every value vector of the demo model: a search, the statistics it rests on, clusters. Time and memory."""

from collections.abc import Iterator

import torch

import lm_debugger
from benchmarks.engine import growth
from benchmarks.measure import Result, ratio, seconds
from lm_debugger.search import statistics
from lm_debugger.units.layout import Layout

ROUNDS = 60
CLUSTERS = 1000


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    debugger = lm_debugger.load("demo")
    yield _first(debugger)
    yield _search(debugger)
    yield _statistics(debugger)
    yield _clusters(debugger)


def _first(debugger: lm_debugger.Debugger) -> Result:
    debugger.search("other")  # whatever is measured once is now there
    taken = seconds(lambda: debugger.search("teacher, school"))
    return Result("search for words not searched for before, 20 results", f"{taken * 1000:.0f} ms")


def _search(debugger: lm_debugger.Debugger) -> Result:
    weights = [block.matrix for block in debugger.model.value_blocks()]
    direction = torch.randn(debugger.model.anatomy.hidden_size, dtype=debugger.model.network.dtype)
    return ratio(
        "search over all vectors, warm / one product of the weights with a vector",
        lambda: debugger.search("teacher"),
        lambda: [matrix @ direction for matrix in weights],
        most=3,
        rounds=ROUNDS,
    )


def _statistics(debugger: lm_debugger.Debugger) -> Result:
    layout = Layout(debugger.model)
    taken = min(seconds(lambda: statistics.measure(debugger.model, layout)) for _ in range(3))
    grown = growth(
        "from lm_debugger.search import statistics; from lm_debugger.units.layout import Layout; "
        "statistics.measure(d.model, Layout(d.model))"
    )
    return Result(
        f"statistics of {layout.vectors:,} vectors", f"{taken:.1f} s", "< 1 GiB", grown < 1 << 30,
        f"peak memory over the model's own {grown / 2**20:+.0f} MiB",
    )  # fmt: skip


def _clusters(debugger: lm_debugger.Debugger) -> Result:
    made = debugger.clusters(CLUSTERS, force=True)
    grown = growth(f"d.clusters({CLUSTERS}, force=True)")
    return Result(
        f"{made.k:,} clusters of {made.value_vectors:,} vectors, with map", f"{made.seconds:.0f} s", "< 1 GiB",
        grown < 1 << 30, f"peak memory over the model's own {grown / 2**20:+.0f} MiB",
    )  # fmt: skip
