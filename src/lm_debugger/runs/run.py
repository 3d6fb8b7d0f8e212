"""Runs specs once and keeps everything: a run is a value, every view of it a read-out without a forward.

A run that would keep more memory than its limit is refused.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from lm_debugger.engine.sites import Pass
from lm_debugger.errors import MemoryLimitError, NumericalError
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.runs.kept import KeptRun
from lm_debugger.runs.spec import RunSpec
from lm_debugger.units.compile import compile_edits
from lm_debugger.work import UNWATCHED, Work

MEMORY_LIMIT = 4 << 30  # bytes that one call of `run` may keep
GIGABYTE = 1 << 30

R = TypeVar("R", bound=KeptRun)


def run(
    model: LoadedModel,
    specs: Sequence[RunSpec],
    *,
    kind: Callable[..., R],
    reading: Reading,
    baselines: Sequence[R | None],
    memory_limit: int = MEMORY_LIMIT,
    work: Work = UNWATCHED,
) -> tuple[R, ...]:
    """Run specs, each with its own edits.

    Args:
        specs: what to run; `on` in their edits is settled.
        kind: makes the run from what was kept.
        reading: the model through the lens that the runs are read through.
        baselines: for each spec the run without edits that the result is to carry.
        memory_limit: bytes that the runs may keep together.

    Raises:
        PromptError: if a text does not fit the model's context.
        EditError: if an edit cannot be applied.
        MemoryLimitError: if the runs would keep more than the limit.
        NumericalError: if the model computes NaN or infinity.
    """
    for spec in specs:
        model.check_length(len(spec.ids))
    check_memory(model, sum(len(spec.ids) for spec in specs), memory_limit)
    passes = [
        Pass(spec.ids, compile_edits(spec.edits, model, prompt_length=spec.prompt_length, length=len(spec.ids)))
        for spec in specs
    ]
    weights = model.engine.weights()
    captures = model.engine.observe(passes, model.sites, work=work)
    found = tuple(
        kind(model, spec, capture, weights=weights, reading=reading, baseline=baseline)
        for spec, capture, baseline in zip(specs, captures, baselines, strict=True)
    )
    for each in found:
        _check_finite(each)
    return found


def check_memory(model: LoadedModel, tokens: int, limit: int) -> None:
    """Raise MemoryLimitError if to keep so many tokens would take more than so many bytes."""
    size = torch.finfo(model.network.dtype).bits // 8
    needed = tokens * model.kept_numbers * size
    if needed > limit:
        raise MemoryLimitError(
            f"Tracing {tokens} tokens would keep {needed / GIGABYTE:.1f} GiB, over the limit of "
            f"{limit / GIGABYTE:.1f} GiB.",
            f"Trace at most {limit // (model.kept_numbers * size)} tokens at once, or raise memory_limit.",
        )


def _check_finite(found: KeptRun) -> None:
    if bool(found.last_residual.isfinite().all()):
        return
    for index in range(found.model.layers):
        bad = ~found.layer(index).after.isfinite().all(-1)
        if bool(bad.any()):
            position = int(bad.nonzero()[0, 0])
            cure = "Check the weights and the dtype." if not found.interventions else "Weaken the edits."
            raise NumericalError(f"The model computes NaN or infinity in layer {index} at position {position}.", cure)
