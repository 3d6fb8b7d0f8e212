"""How well lenses tell causes: small pushes of a layer's stream, their effect on the logits predicted and measured.

A push δ is along a random value vector of the layer (a random direction where the layer has none), at the last
position of a text. Measured: the model is run with the stream pushed, and with it pushed the other way. Predicted: the
read-out's own change when J_ℓ·δ is added to the last stream, and taken off. The score is the correlation of the two
changes over the vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass, Write
from lm_debugger.lenses.lens import Lens
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.units.unit import ValueGroup
from lm_debugger.work import Work

TOKENS = 1024  # that run in one forward
SMALL = {torch.float32: 0.03, torch.float64: 0.03}  # a push's part of the stream's length
COARSE = 0.2  # in dtypes whose rounding would drown it


@torch.no_grad()
def causal(
    model: LoadedModel,
    lenses: Sequence[Lens],
    ids: Sequence[tuple[int, ...]],
    layers: Sequence[int],
    *,
    pushes: int,
    seed: int,
    work: Work,
) -> dict[int, list[float]]:
    """For each layer the score of each lens, mean over the pushes.

    Args:
        ids: texts of one length.
        pushes: at each layer, shared out among the texts.

    Raises:
        CancelledError: if cancelled.
    """
    generator = torch.Generator().manual_seed(seed)
    found: dict[int, list[float]] = {}
    streams, last = _streams(model, ids, layers, work)
    for number, layer in enumerate(layers):
        work("Pushing streams", number, len(layers))
        texts = [push % len(ids) for push in range(pushes)]
        sizes = torch.stack([streams[text][layer].norm() for text in texts])
        directions = _directions(model, layer, pushes, generator) * sizes[:, None] * _part(model)
        measured = _measured(model, [ids[text] for text in texts], layer, directions, work)
        at = torch.stack([last[text] for text in texts])
        found[layer] = [
            float(_correlation(_predicted(model, at, lens.vector(directions.to(at.device), layer)), measured).mean())
            for lens in lenses
        ]
    return found


def _part(model: LoadedModel) -> float:
    return SMALL.get(model.network.dtype, COARSE)


def _streams(
    model: LoadedModel, ids: Sequence[tuple[int, ...]], layers: Sequence[int], work: Work
) -> tuple[list[dict[int, Tensor]], list[Tensor]]:
    """Of each text the stream after each layer at the last position, and the last stream there: (hidden,)."""
    end = model.anatomy.layers[-1].after
    sites = {layer: model.anatomy.layers[layer].after for layer in layers}
    streams: list[dict[int, Tensor]] = []
    last: list[Tensor] = []
    rows = max(1, TOKENS // len(ids[0]))
    for first in range(0, len(ids), rows):
        captures = model.engine.observe([Pass(text) for text in ids[first : first + rows]], [*sites.values(), end])
        work.go_on()
        streams += [{layer: each[site][-1].float().cpu() for layer, site in sites.items()} for each in captures]
        last += [each[end][-1].float() for each in captures]
    return streams, last


def _directions(model: LoadedModel, layer: int, count: int, generator: torch.Generator) -> Tensor:
    """Random value vectors of a layer at length 1: (count, hidden), CPU."""
    groups = [group for group in model.blocks[layer].units if isinstance(group, ValueGroup)]
    if not groups:
        found = torch.randn(count, model.anatomy.hidden_size, generator=generator)
    else:
        chosen = [groups[int(torch.randint(len(groups), (), generator=generator))] for _ in range(count)]
        numbers = [int(torch.randint(group.extent.units, (), generator=generator)) for group in chosen]
        found = torch.stack([g.vector(number).cpu() for g, number in zip(chosen, numbers, strict=True)])
    return torch.nn.functional.normalize(found, dim=-1)


def _measured(model: LoadedModel, ids: Sequence[tuple[int, ...]], layer: int, directions: Tensor, work: Work) -> Tensor:
    """Half the difference of the logits of the last position with a push and with the opposite one: (pushes, V)."""
    site, end = model.anatomy.layers[layer].after, model.anatomy.layers[-1].after
    hidden, place = model.anatomy.hidden_size, len(ids[0]) - 1
    passes = [
        Pass(text, (Write(site, 0, hidden, 1.0, tuple((sign * push).tolist()), False, place, place + 1),))
        for sign in (1, -1)
        for text, push in zip(ids, directions, strict=True)
    ]
    rows = max(1, TOKENS // len(ids[0]))
    residuals: list[Tensor] = []
    for first in range(0, len(passes), rows):
        captures = model.engine.observe(passes[first : first + rows], [end], work=work)
        residuals += [each[end][-1] for each in captures]
    ahead, back = model.readout.uncapped(torch.stack(residuals)).chunk(2)
    return (ahead - back) / 2


def _predicted(model: LoadedModel, at: Tensor, carried: Tensor) -> Tensor:
    """The read-out's slope at last streams (pushes, hidden) along carried pushes: (pushes, V), at any scale."""
    lengths = carried.norm(dim=-1, keepdim=True).clamp_min(1e-30)
    step = carried / lengths * at.norm(dim=-1, keepdim=True) * _part(model)
    return model.readout.uncapped(at + step) - model.readout.uncapped(at - step)


def _correlation(one: Tensor, other: Tensor) -> Tensor:
    """Pearson's correlation of rows: (N,); 0 where one does not vary."""
    one, other = (each.double() - each.double().mean(-1, keepdim=True) for each in (one, other))
    found: Tensor = (one * other).sum(-1) / (one.norm(dim=-1) * other.norm(dim=-1)).clamp_min(1e-30)
    return found
