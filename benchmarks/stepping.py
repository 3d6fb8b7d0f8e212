"""Debugging sessions on the demo model: a watch per step, a pause and continue, a fork."""

from collections.abc import Iterator

import lm_debugger
from benchmarks.measure import Result, ratio, seconds
from lm_debugger.debugger.session import Debugger
from lm_debugger.engine.sites import Pass
from lm_debugger.runs.generate import greedy

PROMPT = "The quick brown fox jumps over the lazy dog and then it"
TOKENS = 24
WATCHES = ('p(" was")', "entropy()", "L12D345")


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    debugger = lm_debugger.load("demo")
    yield _watched(debugger)
    yield _paused(debugger)
    yield _fork(debugger)


def _watched(debugger: Debugger) -> Result:
    return ratio(
        "generation with 3 watches / without",
        lambda: debugger.generate(PROMPT, max_new_tokens=TOKENS, watches=WATCHES),
        lambda: debugger.generate(PROMPT, max_new_tokens=TOKENS),
        most=1.05,
        rounds=12,
    )


def _paused(debugger: Debugger) -> Result:
    def stepped() -> None:
        session = debugger.debug(PROMPT, max_new_tokens=TOKENS)
        session.over(TOKENS // 2)
        session.continue_()

    return ratio(
        "a session that pauses half way / generation",
        stepped,
        lambda: debugger.generate(PROMPT, max_new_tokens=TOKENS),
        most=1.1,
        rounds=12,
    )


def _fork(debugger: Debugger) -> Result:
    model = debugger.model
    steps = model.engine.steps([Pass(tuple(model.vocabulary.encode(PROMPT)))], greedy, limit=TOKENS)
    next(iter(steps))
    taken = min(seconds(steps.fork) for _ in range(20))
    return Result("fork of a continuation", f"{taken * 1000:.1f} ms")
