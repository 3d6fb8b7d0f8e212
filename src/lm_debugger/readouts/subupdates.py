"""The dominant sub-updates of a layer at one position: the value vectors with the largest |coefficient| · norm.

Source: Geva et al. 2022, arXiv 2203.14680, section 4; LM-Debugger, arXiv 2204.12130, section 2.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import BoundGroup, LayerStreams
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.names import ValueName


class Dominant(NamedTuple):
    """One sub-update; see records.trace.SubUpdate for the terms."""

    name: ValueName
    coefficient: float
    norm: float
    score: float
    share: float
    effect: float | None


def dominant(model: LoadedModel, streams: LayerStreams, count: int, direction: Tensor | None = None) -> list[Dominant]:
    """The strongest sub-updates of one layer at one position, largest first.

    Args:
        streams: the layer's streams at a single position.
        count: how many at most.
        direction: see `BoundReadOut.direction`; None to leave effects out.
    """
    found = [
        entry
        for bound in streams.layer.groups
        for entry in (_dense if bound.experts is None else _routed)(model, streams, bound, count, direction)
    ]
    return sorted(found, key=lambda entry: -entry.score)[:count]


def _dense(
    model: LoadedModel, streams: LayerStreams, bound: BoundGroup, count: int, direction: Tensor | None
) -> list[Dominant]:
    coefficients = streams.coefficients(bound)[0]
    norms = model.norms(streams.layer.index, bound)
    best = (coefficients.abs() * norms).topk(min(count, len(norms))).indices
    names = [ValueName(streams.layer.index, bound.first + i) for i in best.tolist()]
    along = bound.along(streams.contribution[0], best)
    towards = None if direction is None else bound.along(direction, best)
    return _entries(streams, bound, names, coefficients[best], norms[best], along, towards)


def _routed(
    model: LoadedModel, streams: LayerStreams, bound: BoundGroup, count: int, direction: Tensor | None
) -> list[Dominant]:
    index, coefficients, _ = (value[0] for value in streams.routed())  # (K,), (K, width)
    width = coefficients.shape[-1]
    experts = index.clamp(max=bound.group.experts - 1)
    norms = model.norms(streams.layer.index, bound)[experts]
    best = (coefficients.abs() * norms).flatten().topk(min(count, norms.numel())).indices
    slots, dimensions = (best // width).tolist(), (best % width).tolist()
    chosen = [int(experts[slot]) for slot in slots]
    names = [ValueName(streams.layer.index, d, e) for e, d in zip(chosen, dimensions, strict=True)]
    vectors = torch.stack([bound.matrix(e)[d] for e, d in zip(chosen, dimensions, strict=True)])
    arriving = bound.static(vectors)
    along = arriving @ streams.contribution[0]
    towards = None if direction is None else arriving @ direction
    return _entries(streams, bound, names, coefficients.flatten()[best], norms.flatten()[best], along, towards)


def _entries(
    streams: LayerStreams,
    bound: BoundGroup,
    names: list[ValueName],
    coefficients: Tensor,
    norms: Tensor,
    along: Tensor,
    towards: Tensor | None,
) -> list[Dominant]:
    """Put numbers together.

    Args:
        along: the vectors' products with the feed-forward's contribution.
        towards: their products with a direction, or None.
    """
    scale = streams.scale(bound).flatten()
    output = streams.contribution[0].double()  # in float64, because squares of what strong edits give overflow float32
    shares = coefficients * scale * along.double() / (output @ output).clamp_min(1e-30)
    norms = norms * scale.abs()
    scores = coefficients.abs() * norms
    effects = [None] * len(names) if towards is None else (coefficients * scale * towards).tolist()
    columns = (coefficients.tolist(), norms.tolist(), scores.tolist(), shares.tolist(), effects)
    return [Dominant(name, *numbers) for name, *numbers in zip(names, *columns, strict=True)]
