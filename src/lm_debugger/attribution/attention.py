"""Where heads look: attention patterns of a run, and what a head brings from each position."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.anatomy.parts import Form
from lm_debugger.attribution.direct import passed
from lm_debugger.engine.sites import Site
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.attention.port import PATTERN, VALUES
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.work import Work

ROUNDED = 2e-2  # relative: weights times values are what enters the output projection; bfloat16 rounds at 4e-3


@dataclass(frozen=True)
class Pattern:
    """One layer's attention.

    Args:
        weights: (positions, heads, positions attended to), float32.
        values: what is attended to, (positions attended to, heads, width), float32; None where something between
            attention and the output projection changes what heads bring, so that it cannot be split by position.
    """

    weights: Tensor
    values: Tensor | None


def head_group(run: KeptRun, layer: int) -> HeadGroup | None:
    """A layer's heads."""
    return next((group for group in run.model.blocks[layer].units if isinstance(group, HeadGroup)), None)


@torch.no_grad()
def patterns(run: KeptRun, layers: Iterable[int], work: Work) -> dict[int, Pattern]:
    """The attention of some layers: those that have heads and ask transformers' attention interface.

    Runs the prompt once more, with plain attention.
    """
    model = run.model
    having = {layer: group for layer in layers if (group := head_group(run, layer)) is not None}
    sites = {
        layer: tuple(Site(path=model.anatomy.layers[layer].path, side=side) for side in (PATTERN, VALUES))
        for layer in having
    }
    taps = [site for each in sites.values() for site in each]
    if not taps:
        return {}
    capture = model.engine.observe([passed(run)], taps, work=work)[0]
    found: dict[int, Pattern] = {}
    for layer, group in having.items():
        weights, values = (capture[site].float() for site in sites[layer])
        if not weights.numel() or weights.shape[1] != group.heads.count:
            continue
        entered = run.layer(layer).at(group.slices_site)
        found[layer] = Pattern(weights, values if _splits(weights, values, entered) else None)
    return found


def _splits(weights: Tensor, values: Tensor, entered: Tensor) -> bool:
    """Whether weights times values is what enters the output projection."""
    brought = torch.einsum("phk,khw->phw", weights, values).flatten(1)
    if brought.shape != entered.shape:
        return False
    return bool((brought - entered).norm() <= ROUNDED * entered.norm())


@torch.no_grad()
def brought(run: KeptRun, pattern: Pattern, layer: int, position: int) -> Tensor:
    """What each head brings from each position to the sum with the stream: (positions attended to, heads, hidden).

    Norms between are taken at their scale for the position. `pattern.values` must be there.
    """
    group, streams = head_group(run, layer), run.layer(layer, position)
    assert group is not None
    assert pattern.values is not None
    pieces = pattern.weights[position].T[:, :, None] * pattern.values  # (sources, heads, width)
    pieces = pieces[: position + 1]
    matrices = group.projection.matrix.float().reshape(group.heads.count, group.heads.width, -1)
    vectors = torch.einsum("shw,hwd->shd", pieces, matrices)
    heads = HeadStreams(group, streams)
    for step in group.summed:
        if step.form is Form.NORM:
            vectors = group.norms[step.path].linear(vectors) * heads.norm_scale(step.path)
        elif step.factor:
            vectors = vectors * vectors.new_tensor(step.factor)
    return vectors
