"""What takes a part's place where it is ablated: nothing, its mean over text, or its value in another run."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.align import align
from lm_debugger.engine.sites import FOREVER, Side, Site, Write
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import Group, ValueGroup

Key = tuple[int, str, str]
"""Tells a group of units from all others of a model: its layer, path and letters."""


def key(group: Group) -> Key:
    """A group's key."""
    return group.layer, group.path, group.extent.letters


def unit_sites(group: Group) -> tuple[Site, ...]:
    """Where the numbers of a group's units are read; nothing where they have none."""
    if isinstance(group, ValueGroup):
        return group.coefficient_sites
    return (group.slices_site,) if isinstance(group, HeadGroup) else ()


def numbers(group: Group, streams: LayerStreams) -> Tensor:
    """The numbers of a group's units at each position: coefficients, or heads' slices (positions, numbers)."""
    if isinstance(group, ValueGroup):
        return group.coefficients(streams)
    assert isinstance(group, HeadGroup)
    return streams.at(group.slices_site)


def embedding_site(model: LoadedModel) -> Site:
    """The stream that enters layer 0."""
    return Site(path=model.anatomy.layers[0].path, side=Side.INPUT)


class Reference(NamedTuple):
    """The numbers that take the place of a run's.

    Args:
        units: for each group its units' coefficients, or its heads' slices one after the other: (rows, numbers).
        embedding: the stream that enters layer 0: (rows, hidden).
        rows: for each position of the run the row that takes its place; None where it keeps its own. Without it the
            only row is that of all positions.
    """

    units: Mapping[Key, Tensor]
    embedding: Tensor
    rows: tuple[int | None, ...] | None = None

    def instead(self, values: Tensor, own: Tensor) -> Tensor:
        """What stands at each position instead of the run's own numbers: both (positions, numbers)."""
        if self.rows is None:
            return values.to(own).expand_as(own)
        taken = own.clone()
        pairs = [(at, row) for at, row in enumerate(self.rows) if row is not None]
        taken[[at for at, _ in pairs]] = values.to(own)[[row for _, row in pairs]]
        return taken

    def writes(self, group: Group, index: int) -> tuple[Write, ...]:
        """The writes that put a unit's reference in its place."""
        values = self.units[key(group)]
        if isinstance(group, HeadGroup):
            width = group.heads.width
            return self._at(group.slices_site, index * width, values[:, index * width : (index + 1) * width])
        return tuple(
            group.write(index, 0.0, shift, maximum=False, start=start, stop=stop)
            for start, stop, (shift,) in self._spans(values[:, index : index + 1])
        )

    def embedding_writes(self, site: Site) -> tuple[Write, ...]:
        """The same for the stream that enters layer 0."""
        return self._at(site, 0, self.embedding)

    def _at(self, site: Site, first: int, values: Tensor) -> tuple[Write, ...]:
        count = values.shape[1]
        return tuple(
            Write(site, first, count, 0.0, tuple(shift), False, start, stop)
            for start, stop, shift in self._spans(values)
        )

    def _spans(self, values: Tensor) -> list[tuple[int, int, list[float]]]:
        """Positions from and to, and what stands there."""
        if self.rows is None:
            return [(0, FOREVER, values[0].tolist())]
        return [(at, at + 1, values[row].tolist()) for at, row in enumerate(self.rows) if row is not None]


@torch.no_grad()
def resampled(run: KeptRun, other: KeptRun) -> Reference:
    """The values of another run, at the positions that stand for each other."""
    units: dict[Key, Tensor] = {}
    for layer, block in enumerate(other.model.blocks):
        streams = other.layer(layer)
        for group in block.units:
            if unit_sites(group):
                units[key(group)] = numbers(group, streams)
    entered = other.layer(0).at(embedding_site(other.model))
    return Reference(units, entered, align(run.ids, other.ids).positions)
