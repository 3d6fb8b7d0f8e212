"""Runs prompts once and keeps everything: a `Trace` is a value, every view of it a read-out without a forward.

A run that would keep more memory than its limit is refused.
"""

from collections.abc import Sequence

import torch

from lm_debugger.errors import MemoryLimitError, NumericalError
from lm_debugger.lenses.projection import Projections
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.view import view
from lm_debugger.records.edit import Edit
from lm_debugger.records.trace import TraceView
from lm_debugger.runs.kept import KeptRun
from lm_debugger.show.html import page
from lm_debugger.show.terminal import draw
from lm_debugger.show.trace import trace as document
from lm_debugger.units.compile import Ranges, compile_edits

MEMORY_LIMIT = 4 << 30  # bytes that one call of `run` may keep
GIGABYTE = 1 << 30


class Trace(KeptRun):
    """One prompt's run through the model, with or without edits, and its read-outs. Immutable.

    Attributes are those of `KeptRun`: `model`, `ids`, `tokens`, `interventions`, `baseline`.
    """

    def view(self, position: int = -1, top_k: int = 10, effect_on: int | None = None) -> TraceView:
        """Read the trace out at one position.

        Args:
            position: the token position, from 0; negative ones count from the end.
            top_k: how many tokens and sub-updates to list, 1 or more.
            effect_on: id of a token, for the direct effect of each sub-update on its logit.

        Raises:
            OptionError: if the position or the token does not exist, or top_k is below 1.
        """
        return view(self, position, top_k, effect_on)

    def __rich__(self) -> object:
        return draw(document(self.view()))

    def _repr_html_(self) -> str:
        return page(document(self.view()))


def run(
    model: LoadedModel,
    prompts: Sequence[Sequence[int]],
    edits: Sequence[Sequence[Edit]],
    *,
    projections: Projections,
    ranges: Ranges,
    baselines: Sequence[Trace | None] | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> tuple[Trace, ...]:
    """Trace prompts, each with its own edits. Prompts of one length share a forward, so that none is padded.

    Args:
        prompts: token ids of each prompt.
        edits: the edits for each prompt.
        baselines: for each prompt the trace without edits that the result is to carry.
        memory_limit: bytes that the traces may keep together.

    Raises:
        PromptError: if a prompt does not fit the model's context.
        EditError: if an edit cannot be applied.
        MemoryLimitError: if the traces would keep more than the limit.
        NumericalError: if the model computes NaN or infinity.
    """
    for ids in prompts:
        model.check_length(len(ids))
    _check_memory(model, sum(map(len, prompts)), memory_limit)
    found: dict[int, Trace] = {}
    for length in sorted({len(ids) for ids in prompts}):
        members = [index for index, ids in enumerate(prompts) if len(ids) == length]
        batches = [members] if model.anatomy.batch_first else [[member] for member in members]
        for batch in batches:
            rows = [edits[index] for index in batch]
            plan = compile_edits(rows, model, prompt_length=length, length=length, ranges=ranges)
            tokens = model.tensor([prompts[index] for index in batch])
            with model.lock:
                kept, _ = model.recorder.run(tokens, plan=plan if any(rows) else None)
            for row, index in enumerate(batch):
                baseline = baselines[index] if baselines else None
                found[index] = Trace(
                    model, tuple(prompts[index]), tuple(edits[index]), baseline, (kept, row), projections
                )
    traces = tuple(found[index] for index in range(len(prompts)))
    for trace in traces:
        _check_finite(trace)
    return traces


def _check_memory(model: LoadedModel, tokens: int, limit: int) -> None:
    size = torch.finfo(model.network.dtype).bits // 8
    hidden = model.anatomy.hidden_size
    widths = sum(4 * hidden + model.dense_width(i) + 8 * model.experts(i)[1] for i in range(model.layers))
    needed = tokens * widths * size
    if needed > limit:
        raise MemoryLimitError(
            f"Tracing {tokens} tokens would keep {needed / GIGABYTE:.1f} GiB, over the limit of "
            f"{limit / GIGABYTE:.1f} GiB.",
            f"Trace at most {limit // (widths * size)} tokens at once, or raise memory_limit.",
        )


def _check_finite(trace: Trace) -> None:
    if bool(trace.last_residual.isfinite().all()):
        return
    for index in range(trace.model.layers):
        bad = ~trace.layer(index).after.isfinite().all(-1)
        if bool(bad.any()):
            position = int(bad.nonzero()[0, 0])
            cure = "Check the weights and the dtype." if not trace.interventions else "Weaken the edits."
            raise NumericalError(f"The model computes NaN or infinity in layer {index} at position {position}.", cure)
