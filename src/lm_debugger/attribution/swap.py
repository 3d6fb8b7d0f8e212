"""Swaps as writes: another run's activations in the place of this one's, for streams, whole parts, and single units.

The other run may be another model's of the same shape: a unit is then taken over with its vector, as what it gives.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.sites import Side, Site, Write
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.unit import Group, ValueGroup

Pairs = Sequence[tuple[int, int]]
"""Positions here, each with the position there whose activations take its place."""


def replaced(site: Site, values: Tensor, positions: Sequence[int]) -> tuple[Write, ...]:
    """A site's channels set to values (positions, channels) at positions."""
    return tuple(
        Write(site, 0, values.shape[1], 0.0, tuple(row), False, at, at + 1)
        for row, at in zip(values.tolist(), positions, strict=True)
    )


def added(site: Site, values: Tensor, positions: Sequence[int]) -> tuple[Write, ...]:
    """Values (positions, channels) added to a site's channels at positions; nothing where they are all 0."""
    return tuple(
        Write(site, 0, values.shape[1], 1.0, tuple(row), False, at, at + 1)
        for row, at in zip(values.tolist(), positions, strict=True)
        if any(row)
    )


def stream(run: KeptRun, other: KeptRun, layer: int, pairs: Pairs) -> tuple[Write, ...]:
    """The residual stream after a layer (−1: that enters layer 0), as it is in the other run; what is equal stays."""
    if layer < 0:
        site = Site(path=run.model.anatomy.layers[0].path, side=Side.INPUT)
        there = Site(path=other.model.anatomy.layers[0].path, side=Side.INPUT)
        mine, theirs = run.layer(0).raw(site), other.layer(0).raw(there)
    else:
        site = run.model.anatomy.layers[layer].after
        mine, theirs = run.layer(layer).after, other.layer(layer).after
    apart = [(at, to) for at, to in pairs if not torch.equal(mine[at], theirs[to].to(mine))]
    if not apart:
        return ()
    return replaced(site, theirs[[to for _, to in apart]].float(), [at for at, _ in apart])


class Module(NamedTuple):
    """A module of a layer that gives the sum of its units.

    Args:
        group: here.
        other: the same in the other run.
    """

    group: Group
    other: Group

    @property
    def site(self) -> Site:
        """What it gives."""
        return Site(path=self.group.path, side=Side.OUTPUT)

    def given(self, there: LayerStreams) -> Tensor:
        """What it gives in the other run: (positions, hidden)."""
        if isinstance(self.other, HeadGroup):
            return HeadStreams(self.other, there).output
        return there.output(self.other)


def modules(run: KeptRun, other: KeptRun, layer: int, part: str) -> list[Module]:
    """The modules of a part of a layer: `attention` or `ffn`; none where it has no such units."""
    kind: type[Group] = HeadGroup if part == "attention" else ValueGroup
    mine, theirs = ([g for g in each.model.blocks[layer].units if isinstance(g, kind)] for each in (run, other))
    if part == "ffn":
        mine, theirs = list(run.model.blocks[layer].groups), list(other.model.blocks[layer].groups)
    return [Module(one, two) for one, two in zip(mine, theirs, strict=True)]


@torch.no_grad()
def given(group: Group, streams: LayerStreams) -> Tensor:
    """What each unit gives to its module's output: (positions, units, hidden). Of a head; for vectors see `weights`."""
    assert isinstance(group, HeadGroup)
    heads = group.heads
    slices = streams.at(group.slices_site)
    matrices = group.projection.matrix.float().reshape(heads.count, heads.width, -1)
    return torch.einsum("phw,hwd->phd", slices.reshape(len(slices), heads.count, heads.width), matrices)


@torch.no_grad()
def along(group: Group, streams: LayerStreams, directions: Tensor) -> Tensor:
    """What each unit's gift is along a direction at each position: (positions, units).

    Args:
        group: the units.
        streams: their layer's, at the positions.
        directions: (positions, hidden).
    """
    if isinstance(group, HeadGroup):
        return torch.einsum("phd,pd->ph", given(group, streams), directions.float())
    assert isinstance(group, ValueGroup)
    coefficients = group.coefficients(streams)
    products = torch.cat([directions.float() @ block.matrix.float().T for block in group.blocks()], -1)
    return coefficients * products


@torch.no_grad()
def gifts(group: Group, streams: LayerStreams, units: Sequence[int]) -> Tensor:
    """What some units give together: (positions, hidden)."""
    if isinstance(group, HeadGroup):
        return given(group, streams)[:, list(units)].sum(1)
    assert isinstance(group, ValueGroup)
    rows = torch.stack([matrix[row].float() for matrix, row in map(group.matrix_of, units)])
    return group.coefficients(streams)[:, list(units)] @ rows
