"""Proves an anatomy on the loaded model, in its own dtype, on all layers: invariants I1 to I5.

The engine that is proved may run the network elsewhere: what zeroed weights do is measured on the network here.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.discovery.discover import probing_ids
from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.engine import Engine
from lm_debugger.engine.sites import LOGITS, Capture, Pass, Site
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.proof.switching import Chosen, Switch, switching
from lm_debugger.records.examination import INVARIANTS, Check
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.layer import BoundLayer
from lm_debugger.units.running import local_engine
from lm_debugger.units.unit import ValueGroup

# Largest relative error accepted, by dtype: some hundred roundings, since sums over the feed-forward's width are
# compared that were added up in another order and, in half precision, rounded in between.
# float64 is held to float32's: transformers computes norms in float32 whatever the model's dtype.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 3e-2}
SWITCHED = 4  # vectors switched off in each of three layers
HEADS_SWITCHED = 2  # heads, of which a small model has few


class Proof(NamedTuple):
    """The checks, and the layers whose heads are not proved with the error of each.

    Heads that do not add up are not proved in that layer; if some cannot be switched off, none are.
    """

    checks: tuple[Check, ...]
    unproved: dict[int, float]


def verify(network: PreTrainedModel, anatomy: Anatomy, engine: Engine | None = None) -> Proof:
    """Measure every invariant. Nothing is raised for one that fails; the caller decides.

    Args:
        network: the model.
        anatomy: what is to be proved of it.
        engine: what runs it; None for one in this process.
    """
    ids = tuple(probing_ids(network)[0].tolist())
    layers = [BoundLayer(network.get_submodule, anatomy, index) for index in range(len(anatomy.layers))]
    here = local_engine(network, anatomy, layers)
    engine = engine or here
    sites = dict.fromkeys(site for layer in layers for site in (*layer.sites, *_proof_taps(layer)))
    kept = engine.observe([Pass(ids)], [*sites, LOGITS])[0]
    tolerance = TOLERANCE.get(network.dtype, 3e-2)
    with torch.no_grad():
        streams = [LayerStreams(layer, kept, slice(None)) for layer in layers]
        checks = [
            _worst("I1", [_residual(s) for s in streams], tolerance),
            _worst("I2", [_sub_updates(s) for s in streams], tolerance),
            _lens(network, anatomy, kept, tolerance),
        ]
        last = [LayerStreams(layer, kept, slice(-1, None)) for layer in layers]
        checks += switching("I4", Switch(engine, here, ids, _strongest_vectors(last)), network.dtype)
        heads = [_heads(layer, s) for layer, s in zip(layers, streams, strict=True)]
        if all(wrong is None for wrong in heads):
            return Proof(tuple(checks), {})
        of_heads = [
            _worst("I5", heads, tolerance),
            *switching("I5", Switch(engine, here, ids, _strongest_heads(layers, last)), network.dtype),
        ]
    having = {index: wrong for index, wrong in enumerate(heads) if wrong is not None}
    if all(check.passed for check in of_heads[1:]):
        having = {index: wrong for index, wrong in having.items() if not wrong <= tolerance}
    return Proof((*checks, *of_heads), having)


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
    groups = [group for group in streams.layer.groups if isinstance(group, ValueGroup)]
    return max((error(group.summed(streams), streams.output(group)) for group in groups), default=None)


def _head_groups(layer: BoundLayer) -> list[HeadGroup]:
    return [group for group in layer.units if isinstance(group, HeadGroup)]


def _proof_taps(layer: BoundLayer) -> list[Site]:
    return [site for group in _head_groups(layer) for site in group.proof_taps]


def _heads(layer: BoundLayer, streams: LayerStreams) -> float | None:
    """Heads against what the projection gave; one by one through the route; and with the rest against the sum."""
    errors: list[float] = []
    for group in _head_groups(layer):
        heads = HeadStreams(group, streams)
        errors.append(error(heads.output, streams.output(group)))
        errors.append(error(heads.contributions().sum(1) + heads.bias, heads.contribution))
        if heads.rest is not None:
            errors.append(error(heads.rest + heads.added, heads.total))
    return max(errors, default=None)


def _lens(network: PreTrainedModel, anatomy: Anatomy, kept: Capture, tolerance: float) -> Check:
    logits = kept[LOGITS]
    found = LogitLens(network, anatomy).logits(kept[anatomy.layers[-1].after].to(network.device))
    finite = logits[-1].isfinite()  # some models rule tokens out with -inf
    worst = error(found[:, finite.to(found.device)].to(logits.device), logits[:, finite].float())
    return Check(
        invariant="I3", statement=INVARIANTS["I3"], error=worst, tolerance=tolerance, passed=worst <= tolerance
    )


def _some(having: list[LayerStreams]) -> list[LayerStreams]:
    """The first, the middle and the last of some layers."""
    return list({s.layer.index: s for s in (having[0], having[len(having) // 2], having[-1])}.values())


def _strongest_vectors(streams: list[LayerStreams]) -> Chosen:
    """The strongest vectors at the last token, in three layers."""
    return [
        (group, group.number(found.name))
        for stream in _some([s for s in streams if s.layer.groups])
        for group in stream.layer.groups
        if isinstance(group, ValueGroup)
        for found in group.strongest(stream, SWITCHED, None)
    ]


def _strongest_heads(layers: list[BoundLayer], streams: list[LayerStreams]) -> Chosen:
    """The strongest heads at the last token, in three layers."""
    return [
        (group, group.number(found.name))
        for stream in _some([s for s in streams if _head_groups(layers[s.layer.index])])
        for group in _head_groups(layers[stream.layer.index])
        for found in HeadStreams(group, stream).strongest(HEADS_SWITCHED)
    ]
