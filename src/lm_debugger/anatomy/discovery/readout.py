"""Finds how the last residual becomes logits: walks back from the unembedding, and probes what follows it."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lm_debugger.anatomy.discovery.fit import relative
from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.anatomy.discovery.subject import flat
from lm_debugger.anatomy.parts import ReadOut
from lm_debugger.engine.hooks import Hook, attached, output_of, with_output
from lm_debugger.engine.local import forward_options
from lm_debugger.errors import UnsupportedModelError

MOST_MODULES = 8
RAMP = 60.0  # logits tried: far beyond where a soft cap bends
SAME = {torch.float32: 1e-5, torch.float64: 1e-9, torch.bfloat16: 2e-2, torch.float16: 4e-3}


def find_readout(network: PreTrainedModel, calls: list[Call], last: Call, ids: Tensor, logits: Tensor) -> ReadOut:
    """The modules between the last layer's output and the logits.

    Raises:
        UnsupportedModelError: if the unembedding or the way to it cannot be found.
    """
    assert last.left is not None
    same = SAME.get(last.left.dtype, 2e-2)
    later = [call for call in calls if call.start > last.end]
    unembedding = _unembedding(network, later, logits)
    residual = flat(last.left)
    head = last_call = unembedding
    modules, scales = [unembedding.path], [1.0]
    assert unembedding.entered is not None
    goal = flat(unembedding.entered)
    before = unembedding.start
    while (scale := _scale(residual, goal, same)) is None:
        if len(modules) > MOST_MODULES:
            raise UnsupportedModelError("No way was found from the last residual to the unembedding.")
        found = _giving(later, goal, before, same)
        if found is None:
            # Something that is no module happens on the way: take the module around it as one.
            whole = next((c for c in reversed(later) if c.encloses(head) and c.entered is not None), None)
            if whole is None:
                raise UnsupportedModelError(
                    f"What enters {modules[0]} is not the output of any module after the last layer."
                )
            head = last_call = whole
            modules, scales = [whole.path], [1.0]
        else:
            head, scales[0] = found
            modules.insert(0, head.path)
            scales.insert(0, 1.0)
        assert head.entered is not None
        goal, before = flat(head.entered), head.start
    scales[0] = scale
    logit_scale, soft_cap = _after_unembedding(network, last_call, ids, logits)
    return ReadOut(
        modules=tuple(modules),
        scales=tuple(scales),
        logit_scale=logit_scale,
        soft_cap=soft_cap,
        vocabulary=logits.shape[-1],
    )


def _unembedding(network: PreTrainedModel, later: list[Call], logits: Tensor) -> Call:
    """The last call that gives at least as many channels as there are logits."""
    own = network.get_output_embeddings()
    wide = [c for c in later if c.left is not None and c.entered is not None and c.left.shape[-1] >= logits.shape[-1]]
    wide = [c for c in wide if c.left is not None and c.left.shape[-1] < 2 * logits.shape[-1]]
    chosen = [c for c in wide if c.module is own] or [c for c in wide if not any(c.encloses(other) for other in wide)]
    if not chosen:
        raise UnsupportedModelError("No unembedding was found after the last layer.")
    return chosen[-1]


def _scale(source: Tensor, goal: Tensor, same: float) -> float | None:
    """The factor with goal = factor · source, or None."""
    if source.shape != goal.shape:
        return None
    factor = float((source * goal).sum() / (source * source).sum().clamp_min(1e-30))
    if relative(goal - factor * source, goal) > same:
        return None
    return 1.0 if abs(factor - 1) < same else factor


def _giving(later: list[Call], goal: Tensor, before: int, same: float) -> tuple[Call, float] | None:
    """The outermost module call whose output is a multiple of the goal, and the factor."""
    found = []
    for call in later:
        if call.end < before and call.left is not None and call.entered is not None:
            factor = _scale(flat(call.left), goal, same)
            # A module that changes nothing (dropout) would be walked through forever.
            if factor is not None and (
                call.left.shape != call.entered.shape or _scale(flat(call.entered), goal, same) is None
            ):
                found.append((call, factor))
    outer = [(c, f) for c, f in found if not any(other.encloses(c) for other, _ in found)]
    return outer[-1] if outer else None


def _after_unembedding(network: PreTrainedModel, call: Call, ids: Tensor, logits: Tensor) -> tuple[float, float]:
    """Scale and soft cap between the unembedding's output and the logits, found by sending a ramp through."""
    # Dense around 0, where a soft cap is straight, and reaching far, where it bends.
    ramp = RAMP * torch.linspace(-1, 1, call.left.shape[-1]) ** 5  # type: ignore[union-attr]  # chosen for its output

    def replace(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        stream = output_of(output)
        assert stream is not None
        return with_output(output, ramp.to(stream).expand_as(stream).clone())

    with torch.no_grad(), attached([Hook(call.module, after=replace)]):
        seen = network(input_ids=ids, **forward_options(network, all_logits=True)).logits
    sent = ramp.to(call.left.dtype)[: seen.shape[-1]].double()  # type: ignore[union-attr]
    got = seen[0, -1].double().cpu()
    finite = got.isfinite()
    sent, got = sent[finite], got[finite]
    scale = float((sent * got).sum() / (sent * sent).sum())
    tolerance = SAME.get(logits.dtype, 2e-2)
    if relative(got - scale * sent, got) <= tolerance:
        return (1.0 if abs(scale - 1) < tolerance else scale), 0.0
    inner = sent.abs() < RAMP / 500
    slope = float((sent * got)[inner].sum() / (sent * sent)[inner].sum())
    cap = _solve_cap(slope * float(sent[-1]), float(got[-1]))
    slope = 1.0 if abs(slope - 1) < 1e-4 else slope
    if cap and relative(got - cap * torch.tanh(slope * sent / cap), got) <= 10 * tolerance:
        return slope, cap
    raise UnsupportedModelError(
        "The logits are neither a multiple nor a soft-capped multiple of what the unembedding gives."
    )


def _solve_cap(entered: float, left: float) -> float:
    """The cap c with left = c·tanh(entered / c), by bisection; 0 if there is none."""
    if not 0 < left < entered:
        return 0.0
    low, high = left * 0.999, 1e6
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if middle * math.tanh(entered / middle) < left:
            low = middle
        else:
            high = middle
    return round(low, 3) if abs(low - round(low, 3)) < 1e-3 else low
