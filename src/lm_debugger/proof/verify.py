"""Proves an anatomy on the loaded model, in its own dtype, on all layers: invariants I1 to I5."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.discovery.discover import probing_ids
from lm_debugger.anatomy.parts import Anatomy, Side, Site
from lm_debugger.anatomy.streams import BoundGroup, BoundLayer, LayerStreams
from lm_debugger.engine.capture import Capture, Recorder
from lm_debugger.engine.forward import forward_options, rewriting
from lm_debugger.engine.generation import generate
from lm_debugger.engine.rewrite import Plan, Rewrite
from lm_debugger.lenses.logit import BoundReadOut
from lm_debugger.records.examination import INVARIANTS, Check

# Largest relative error accepted, by dtype: some hundred roundings, since sums over the feed-forward's width are
# compared that were added up in another order and, in half precision, rounded in between.
# float64 is held to float32's: transformers computes norms in float32 whatever the model's dtype.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 3e-2}
# I4 compares the effect of two ways of switching the same vectors off, as a fraction of that effect.
EFFECT_TOLERANCE = {torch.float64: 1e-2, torch.float32: 1e-2, torch.float16: 1e-1, torch.bfloat16: 2.5e-1}
SWITCHED = 4  # vectors switched off in each of three layers
STEPS = 4  # generated tokens


class Proof(NamedTuple):
    """The checks, and the layers whose heads failed I5 with the error of each."""

    checks: tuple[Check, ...]
    unproved: dict[int, float]


def verify(network: PreTrainedModel, anatomy: Anatomy) -> Proof:
    """Measure every invariant. Nothing is raised for one that fails; the caller decides."""
    ids = probing_ids(network)
    kept, logits = Recorder(network, anatomy, proof=True).run(ids, logits=True)
    assert logits is not None
    tolerance = TOLERANCE.get(network.dtype, 3e-2)
    layers = [BoundLayer(network, anatomy, index) for index in range(len(anatomy.layers))]
    streams = [LayerStreams(layer, kept, 0, slice(None)) for layer in layers]
    with torch.no_grad():
        checks = [
            _worst("I1", [_residual(s) for s in streams], tolerance),
            _worst("I2", [_sub_updates(s) for s in streams], tolerance),
            _lens(network, anatomy, kept, logits, tolerance),
        ]
        heads = [_heads(s) for s in streams]
    checks += _switching(network, anatomy, ids, streams)
    if any(wrong is not None for wrong in heads):
        checks.append(_worst("I5", heads, tolerance))
    unproved = {index: wrong for index, wrong in enumerate(heads) if wrong is not None and not wrong <= tolerance}
    return Proof(tuple(checks), unproved)


def error(found: Tensor, expected: Tensor) -> float:
    """The largest error of a token, as root mean square over channels relative to the expected value's."""
    found, expected = found.double(), expected.double()
    wrong = (found - expected).pow(2).mean(-1).sqrt()
    size = expected.pow(2).mean(-1).sqrt()
    return float((wrong / size.clamp_min(1e-6 * float(size.max()) + 1e-30)).nan_to_num(nan=float("inf")).max())


def _worst(invariant: str, errors: list[float | None], tolerance: float) -> Check:
    measured = {index: value for index, value in enumerate(errors) if value is not None}
    layer = max(measured, key=lambda index: measured[index]) if measured else None
    worst = measured[layer] if layer is not None else float("inf")
    return Check(
        invariant=invariant,
        statement=INVARIANTS[invariant],
        error=worst,
        tolerance=tolerance,
        passed=worst <= tolerance,
        layer=layer,
    )


def _residual(streams: LayerStreams) -> float | None:
    if not streams.layer.groups:
        return None
    return error(streams.before + streams.contribution, streams.total)


def _sub_updates(streams: LayerStreams) -> float | None:
    errors = [error(_summed(streams, bound), streams.output(bound)) for bound in streams.layer.groups]
    return max(errors, default=None)


def _heads(streams: LayerStreams) -> float | None:
    """Heads against what the projection gave; one by one through the route; and with the rest against the sum."""
    heads = streams.heads
    if heads is None:
        return None
    given = streams.at(Site(path=heads.bound.heads.path, side=Side.OUTPUT))
    errors = [error(heads.output, given), error(heads.contributions().sum(1) + heads.bias, heads.contribution)]
    if heads.rest is not None:
        errors.append(error(heads.rest + heads.added, heads.total))
    return max(errors)


def _summed(streams: LayerStreams, bound: BoundGroup) -> Tensor:
    """Sum of coefficient · value vector, plus bias: (positions, hidden)."""
    if bound.linear is not None:
        coefficients = streams.coefficients(bound)
        return coefficients @ bound.linear.matrix.float() + bound.linear.bias.float()
    assert bound.experts is not None
    index, coefficients, weights = streams.routed()
    total = streams.total.new_zeros(streams.total.shape)
    for expert in index.unique().tolist():
        if expert >= bound.experts.count:
            continue
        chosen = index == expert  # (positions, K)
        total += (coefficients * chosen[..., None]).sum(1) @ bound.experts.matrix(expert).float()
        bias = bound.experts.bias(expert)
        if bias is not None:
            total += (weights * chosen).sum(1, keepdim=True) * bias.float()
    return total


def _lens(network: PreTrainedModel, anatomy: Anatomy, kept: Capture, logits: Tensor, tolerance: float) -> Check:
    last = kept.streams[anatomy.layers[-1].after][0]
    found = BoundReadOut(network, anatomy).logits(last)
    finite = logits[0, -1].isfinite()  # some models rule tokens out with -inf
    worst = error(found[:, finite], logits[0][:, finite].float())
    return Check(
        invariant="I3", statement=INVARIANTS["I3"], error=worst, tolerance=tolerance, passed=worst <= tolerance
    )


def _switching(network: PreTrainedModel, anatomy: Anatomy, ids: Tensor, streams: list[LayerStreams]) -> Iterator[Check]:
    """I4, in a forward and in cached generation."""
    chosen = _chosen(streams)
    plan = Plan(_zero(layer, bound, expert, dimension) for layer, bound, expert, dimension in chosen)
    tolerance = EFFECT_TOLERANCE.get(network.dtype, 2.5e-1)

    def forward() -> Tensor:
        output: Tensor = network(input_ids=ids, **forward_options(network, all_logits=True)).logits
        return output[0]

    def generation() -> Tensor:
        return torch.stack(generate(network, ids, steps=STEPS, endless=True).logits)[:, 0]

    runs: tuple[tuple[str, Callable[[], Tensor]], ...] = (("forward", forward), ("cached generation", generation))
    for where, run in runs:
        statement = f"{INVARIANTS['I4'].split(',')[0]}, in {where}"
        try:
            with torch.no_grad():
                with rewriting(network, anatomy, Plan(())):
                    base = run()
                with rewriting(network, anatomy, plan):
                    edited = run()
                with _zeroed(network, chosen), rewriting(network, anatomy, Plan(())):
                    zeroed = run()
        except Exception as failure:  # noqa: BLE001  # whatever transformers raises: the check then has not passed
            why = f"{statement} (failed with {type(failure).__name__}: {failure})"
            yield Check(invariant="I4", statement=why, error=float("inf"), tolerance=tolerance, passed=False)
            continue
        finite = base[-1].isfinite() & zeroed[-1].isfinite()
        effect = (zeroed - base)[:, finite].double().norm()
        wrong = float((edited - zeroed)[:, finite].double().norm() / effect.clamp_min(1e-30))
        wrong = wrong if wrong == wrong and float(effect) > 0 else float("inf")
        yield Check(
            invariant="I4",
            statement=statement,
            error=wrong,
            tolerance=tolerance,
            passed=wrong <= tolerance,
        )


Chosen = tuple[int, BoundGroup, int | None, int]


def _chosen(streams: list[LayerStreams]) -> list[Chosen]:
    """The strongest vectors at the last token, in the first, middle and last layer that have some."""
    having = [s for s in streams if s.layer.groups]
    picked = {s.layer.index: s for s in (having[0], having[len(having) // 2], having[-1])}
    found: list[Chosen] = []
    for index, stream in picked.items():
        for bound in stream.layer.groups:
            if bound.experts is None:
                strength = stream.coefficients(bound)[-1].abs()
                found += [(index, bound, None, d) for d in strength.topk(min(SWITCHED, len(strength))).indices.tolist()]
            else:
                experts, coefficients, _ = stream.routed()
                expert = int(experts[-1, 0])
                if expert < bound.experts.count:
                    strength = coefficients[-1, 0].abs()
                    best = strength.topk(min(SWITCHED, len(strength))).indices.tolist()
                    found += [(index, bound, expert, d) for d in best]
    return found


def _zero(layer: int, bound: BoundGroup, expert: int | None, dimension: int) -> Rewrite:
    return Rewrite(layer, expert, bound.first + dimension, scale=0.0, shift=0.0)


@contextmanager
def _zeroed(network: PreTrainedModel, chosen: list[Chosen]) -> Iterator[None]:
    """The chosen value vectors are zero in the weights, for the length of the block."""
    saved: list[tuple[Tensor, int, Tensor]] = []
    try:
        for _, bound, expert, dimension in chosen:
            for matrix in _weights(bound, expert):
                saved.append((matrix, dimension, matrix[dimension].clone()))
                matrix[dimension] = 0
        yield
    finally:
        for matrix, dimension, row in reversed(saved):
            matrix[dimension] = row


def _weights(bound: BoundGroup, expert: int | None) -> list[Tensor]:
    """The weight matrices (width, hidden or rank) that hold a group's vectors, as views that can be written to.

    A wrapped linear (an adapter) has several: every inner matrix that takes the coefficients.
    """
    if bound.experts is not None or bound.linear is None:
        return [bound.matrix(expert)]
    module = bound.linear.module
    own = getattr(module, "weight", None)
    if isinstance(own, Tensor) and own.untyped_storage().data_ptr() == bound.linear.matrix.untyped_storage().data_ptr():
        return [bound.linear.matrix]
    inner = [p.data for p in module.parameters() if p.dim() == 2 and p.shape[1] == bound.group.width]
    return [matrix.T for matrix in inner]
