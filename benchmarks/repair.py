"""What finding a fix and a difference take on the demo model, in seconds and in forwards of the prompt."""

from collections.abc import Iterator
from statistics import median

import torch

import lm_debugger
from benchmarks.measure import Result, seconds

CASES = (
    ("My wife is working as a", " doctor"),
    ("The capital of France is", " London"),
    ("The food at this restaurant is", " terrible"),
    ("It was the first time that two", " women"),
    ("The scientist said that", " she"),
)
PAIRS = (
    ("The capital of France is", "The capital of Italy is"),
    ("The opposite of hot is", "The opposite of big is"),
    ("The month after June is", "The month after March is"),
)
MOST = 4.0  # seconds


def results() -> Iterator[Result]:
    """The figures."""
    debugger = lm_debugger.load("demo")
    debugger.fix(*CASES[0])  # whatever is measured once is now there
    taken = [seconds(lambda case=case: debugger.fix(*case)) for case in CASES]
    ran = median(debugger.fix(*case).forwards for case in CASES)
    yield Result(
        "fix, side effects included, median", f"{median(taken):.1f} s", f"≤ {MOST:g} s", median(taken) <= MOST,
        f"{len(CASES)} prompts, {ran:.0f} texts run, {median(taken) / _forward(debugger):.0f} × a forward",
    )  # fmt: skip
    taken = [seconds(lambda pair=pair: debugger.bisect(*pair)) for pair in PAIRS]
    yield Result(
        "bisect of two prompts, median", f"{median(taken):.1f} s",
        detail=f"{len(PAIRS)} pairs, {median(taken) / _forward(debugger):.0f} × a forward",
    )  # fmt: skip


def _forward(debugger: lm_debugger.Debugger) -> float:
    ids = torch.tensor([debugger.model.vocabulary.encode(CASES[0][0])])
    with torch.no_grad():
        return median(seconds(lambda: debugger.model.network(input_ids=ids, use_cache=False)) for _ in range(10))
