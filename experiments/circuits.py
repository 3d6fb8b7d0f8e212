"""How faithful circuits are that estimates choose: `python -m experiments.circuits [MODEL] [--figure FILE]`.

Follows the protocol of MIB's circuit track (Mueller et al. 2025, arXiv 2504.13151) at the level of nodes: each method
scores all components on some pairs; of a share k of the components, the best ones, is a circuit C(k); all others take
their values from the counterfactual prompt. With m the mean lead of the right answer over the pairs held out,

    f(k) = (m(C(k)) − m(nothing)) / (m(model) − m(nothing))

and over k = 0.001 … 1, by trapezoids, CPR is the area under f (higher is better) and CMD the area between f and 1 (0 is
best). Components are taken by |score|, the largest first, as the benchmark's own code does unless told otherwise. Not
its data or models: no leaderboard score.
"""

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

import lm_debugger
from experiments.circuit_figure import draw
from experiments.circuit_patching import EMBEDDING, Counterfactual, places
from experiments.circuit_tasks import TASKS, Pair, pairs
from lm_debugger import Debugger
from lm_debugger.attribution.direct import account
from lm_debugger.attribution.estimate import estimates
from lm_debugger.attribution.question import Question
from lm_debugger.attribution.reference import key, resampled
from lm_debugger.records.why import EstimateMethod
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import Group
from lm_debugger.work import UNWATCHED

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SCORED = 8  # pairs that methods see; the others are held out
SEED = 0

Scores = dict[str, float]


class Asked(NamedTuple):
    """A pair as two runs and the question."""

    run: KeptRun
    other: KeptRun
    question: Question


def _component(group: Group, index: int) -> str:
    return str(group.name(index)) if isinstance(group, HeadGroup) else f"L{group.layer} feed-forward"


def direct(debugger: Debugger, asked: Asked) -> Scores:
    """The direct effect in this run, minus that in the other one."""
    found: Scores = {}
    for run, sign in ((asked.run, 1.0), (asked.other, -1.0)):
        parts = account(run, asked.question, UNWATCHED)
        for units in parts.units:
            for index, effect in enumerate(units.effects.tolist()):
                name = _component(units.group, index)
                found[name] = found.get(name, 0.0) + sign * effect
        found[EMBEDDING] = found.get(EMBEDDING, 0.0) + sign * sum(
            entry.effect for entry in parts.entries if entry.kind == "embedding"
        )
    return found


def estimated(method: EstimateMethod) -> Callable[[Debugger, Asked], Scores]:
    """An estimate of what patching the component from the other run takes away."""

    def score(debugger: Debugger, asked: Asked) -> Scores:
        guesses = estimates(asked.run, asked.question, UNWATCHED, method, resampled(asked.run, asked.other))
        found: Scores = {EMBEDDING: guesses.embedding}
        for block in debugger.model.blocks:
            for group in block.units:
                for index, estimate in enumerate(guesses.units.get(key(group), torch.zeros(0)).tolist()):
                    name = _component(group, index)
                    found[name] = found.get(name, 0.0) + estimate
        return found

    return score


def exact(debugger: Debugger, members: Sequence[Pair], names: Sequence[str]) -> Scores:
    """What patching each component alone from the other run takes away, over all pairs."""
    batches = by_length(debugger, members)
    whole = mean(batches, None)
    everything = frozenset(names)
    return {name: whole - mean(batches, everything - {name}) for name in names}


METHODS: Mapping[str, Callable[[Debugger, Asked], Scores]] = {
    "direct effect": direct,
    "gradient": estimated("gradient"),
    "integrated": estimated("integrated"),
    "relevance": estimated("relevance"),
}


def scores(debugger: Debugger, members: Sequence[Pair], method: Callable[[Debugger, Asked], Scores]) -> Scores:
    """A method's mean scores over pairs."""
    total: Scores = {}
    for pair in members:
        run, other = debugger.trace_batch([pair.ids, pair.other])
        asked = Asked(run, other, Question(len(run) - 1, pair.target, pair.against))
        for name, score in method(debugger, asked).items():
            total[name] = total.get(name, 0.0) + score / len(members)
    return total


def _scored(debugger: Debugger, members: Sequence[Pair], method: str, names: Sequence[str]) -> Scores:
    if method == "random":
        draw_of = random.Random(SEED)  # not a secret
        return {name: draw_of.random() for name in names}
    if method == "exact patching":
        return exact(debugger, members, names)
    return scores(debugger, members, METHODS[method])


def by_length(debugger: Debugger, members: Sequence[Pair]) -> list[Counterfactual]:
    """Pairs of one length run together."""
    lengths = sorted({len(pair.ids) for pair in members})
    return [Counterfactual(debugger, [pair for pair in members if len(pair.ids) == length]) for length in lengths]


def mean(batches: Sequence[Counterfactual], kept: frozenset[str] | None) -> float:
    """The mean lead with some components kept."""
    return float(torch.cat([batch.leads(kept) for batch in batches]).double().mean())


def faithfulness(debugger: Debugger, members: Sequence[Pair]) -> Callable[[frozenset[str]], float]:
    """Gives a circuit's f over some pairs."""
    batches = by_length(debugger, members)
    whole, nothing = mean(batches, None), mean(batches, frozenset())
    return cache(lambda kept: (mean(batches, kept) - nothing) / (whole - nothing))


def curve(order: Sequence[str], f: Callable[[frozenset[str]], float]) -> list[float]:
    """f over the shares for components in an order."""
    return [f(frozenset(order[: round(share * len(order))])) for share in SHARES]


def area(heights: Sequence[float]) -> float:
    """Under a curve over the shares, by trapezoids."""
    steps = zip(SHARES, SHARES[1:], heights, heights[1:], strict=False)
    return sum((right - left) * (one + two) / 2 for left, right, one, two in steps)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="demo", help="as for lm-debugger")
    parser.add_argument("--pairs", type=int, default=50, help="of each task, held out")
    parser.add_argument("--figure", type=Path, help="SVG file for the curves")
    parser.add_argument("--task", choices=list(TASKS), action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    debugger = lm_debugger.load(options.model)
    names = [name for place in places(debugger) for name in place.names]
    panels: dict[str, dict[str, list[float]]] = {}
    for task in options.task or TASKS:
        start = time.perf_counter()
        found = pairs(debugger, task, SCORED + options.pairs, SEED)
        if len(found) < SCORED + 2:
            print(f"{task}: the model can do {len(found)} pairs only: left out")
            continue
        f = faithfulness(debugger, found[SCORED:])
        print(f"{task}: {len(found) - SCORED} pairs held out, {SCORED} scored on, {len(names)} components", flush=True)
        print(f"{'':16}" + "".join(f"{share:>8g}" for share in SHARES) + "      CPR     CMD")
        for method in (*METHODS, "exact patching", "random"):
            scored = _scored(debugger, found[:SCORED], method, names)
            heights = curve(sorted(names, key=lambda name: -abs(scored.get(name, 0.0))), f)
            panels.setdefault(task, {})[method] = heights
            cells = "".join(f"{height:8.2f}" for height in heights)
            print(f"{method:16}{cells} {area(heights):8.3f}{area([abs(1 - h) for h in heights]):8.3f}", flush=True)
        print(f"{time.perf_counter() - start:.0f} s\n", flush=True)
    if options.figure and panels:
        options.figure.write_text(draw(panels, SHARES), encoding="utf-8")


if __name__ == "__main__":
    main()
