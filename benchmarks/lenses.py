"""What a fitted lens costs on the demo model: a trace and a search through it, and fits of it in time and memory.

A Jacobian fit takes minutes, and each of its batches as long as another: BATCHES of them are run, and their time is
scaled to all.
"""

import threading
import time
from collections.abc import Iterator

import torch

import lm_debugger
from benchmarks.engine import growth
from benchmarks.measure import Result, ratio
from lm_debugger.debugger.session import Debugger
from lm_debugger.debugger.trace import Trace
from lm_debugger.errors import CancelledError
from lm_debugger.fitting.fit import completed, finished, fit
from lm_debugger.lenses.lens import FittedLens
from lm_debugger.lenses.reading import Reading
from lm_debugger.records.lens import Fit, Fittable, LensSummary
from lm_debugger.runs.run import run
from lm_debugger.runs.spec import RunSpec
from lm_debugger.work import Work

PROMPT = "The quick brown fox jumps over the lazy dog and then it"
ROUNDS = 40
SEARCHES = 30
NAME = "benchmark"  # of fits under way: users' own are left alone
BATCHES = 1  # of a Jacobian fit
CORES = 2  # that the targets for fits are for
MOST = {"tuned": 60, "jacobian": 360}  # seconds


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    debugger = lm_debugger.load("demo")
    lens = _lens(debugger)
    yield _trace(debugger, lens)
    yield _search(debugger, lens)
    for kind in ("tuned", "jacobian"):
        yield _fit(debugger, kind)


def _lens(debugger: Debugger) -> FittedLens:
    """A lens of as many numbers as a fitted one: what reading through one takes does not depend on which they are."""
    model = debugger.model
    hidden, layers = model.anatomy.hidden_size, range(model.layers - 1)
    about = LensSummary(
        name=NAME, kind="tuned", fingerprint=model.fingerprint, model=model.name, layers=tuple(layers), hidden=hidden,
        estimator="ridge", prompts=1, tokens=2, text="none", seed=0,
    )  # fmt: skip
    near = torch.eye(hidden)
    matrices = {layer: near + 0.1 * torch.randn(hidden, hidden) / hidden**0.5 for layer in layers}
    return FittedLens(about, matrices, {layer: torch.randn(hidden) for layer in layers})


def _trace(debugger: Debugger, lens: FittedLens) -> Result:
    model = debugger.model
    spec = RunSpec.of_prompt(model.vocabulary.encode(PROMPT))

    def through(reading: Reading) -> None:
        run(model, [spec], kind=Trace, reading=reading, baselines=[None])[0].view()

    fitted, plain = Reading(model, lens), Reading(model)
    return ratio(
        "trace through a fitted lens / through the logit lens",
        lambda: through(fitted),
        lambda: through(plain),
        most=1.1,
        rounds=ROUNDS,
    )


def _search(debugger: Debugger, lens: FittedLens) -> Result:
    return ratio(
        "search through a fitted lens / through the logit lens",
        lambda: debugger.search("teacher", lens=lens),
        lambda: debugger.search("teacher"),
        most=1.2,
        rounds=SEARCHES,
    )


def part(debugger: Debugger, kind: Fittable) -> tuple[float, int, int]:
    """Run a fit, a Jacobian one for some batches only: seconds that the whole takes, batches run, and of how many."""
    stop = threading.Event()
    first = last = 0.0
    ran = batches = 0

    def watch(step: str, done: int, total: int) -> None:
        nonlocal first, last, ran, batches
        if kind != "jacobian" or not step.startswith("Fitting"):
            return
        last, ran, batches = time.perf_counter(), done, total
        first = first or last
        if done >= BATCHES:
            stop.set()

    start = time.perf_counter()
    try:
        fit(debugger.model, completed(Fit(kind=kind)), NAME, work=Work(watch, stop))
    except CancelledError:
        return first - start + (last - first) / ran * batches, ran, batches
    finally:
        finished(debugger.model, NAME)
    return time.perf_counter() - start, 1, 1


def _fit(debugger: Debugger, kind: Fittable) -> Result:
    taken, done, total = part(debugger, kind)
    grown = growth(f"torch.set_grad_enabled(True)\nfrom benchmarks.lenses import part\npart(d, {kind!r})")
    options, cores = completed(Fit(kind=kind)), torch.get_num_threads()
    met = grown <= 1 << 30 and (taken <= MOST[kind] if cores >= CORES else None)
    scaled = "" if done == total else f"; {done} of {total} batches, scaled to all"
    return Result(
        f"fit of a {kind} lens, {options.prompts} texts of {options.tokens} tokens", f"{taken:.0f} s",
        f"≤ {MOST[kind]} s", met,
        f"threads: {cores} (the target is for {CORES}){scaled}; peak memory over the model's own "
        f"{grown / 2**20:+.0f} MiB, ≤ 1 GiB",
    )  # fmt: skip


if __name__ == "__main__":
    for result in results():
        print(result)
