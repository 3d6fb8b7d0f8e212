"""A toy kind of unit, as CONTRIBUTING shows it: the residual stream's own channels after each layer, `L1C5`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.sites import Side, Site, Write
from lm_debugger.records.names import Extent
from lm_debugger.units.blocks import Block
from lm_debugger.units.unit import Contribution, ValueGroup, contributions


@dataclass(frozen=True)
class ChannelName:
    """Names one channel, such as `L1C5`."""

    layer: int
    channel: int

    @property
    def letters(self) -> str:
        return "C"

    @property
    def numbers(self) -> tuple[int, ...]:
        return (self.channel,)

    def __str__(self) -> str:
        return f"L{self.layer}C{self.channel}"


class ChannelGroup(ValueGroup):
    """The channels of one layer's output: a channel's coefficient is the stream's number, its vector the axis."""

    first = 0

    def __init__(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> None:
        super().__init__(anatomy.layers[layer].path, (), module, anatomy.hidden_size)
        self.layer = layer
        self.extent = Extent("C", (anatomy.hidden_size,))
        self.axes = torch.eye(anatomy.hidden_size)
        self.site = Site(path=self.path, side=Side.OUTPUT)

    @property
    def coefficient_sites(self) -> tuple[Site, ...]:
        return (self.site,)

    def write(self, index: int, scale: float, shift: float, *, maximum: bool, start: int, stop: int) -> Write:
        return Write(self.site, index, 1, scale, shift, maximum, start, stop)

    def blocks(self) -> Iterator[Block]:
        yield Block(self.layer, self.name, 0, self.axes, self)

    def matrix_of(self, index: int) -> tuple[Tensor, int]:
        return self.axes, index

    def coefficients(self, streams: LayerStreams) -> Tensor:
        return streams.at(self.site)

    def strongest(self, streams: LayerStreams, count: int, direction: Tensor | None) -> list[Contribution]:
        mine = self.coefficients(streams)[0]
        best = mine.abs().topk(min(count, len(mine))).indices
        towards = None if direction is None else direction[best]
        along = streams.contribution[0, best]
        return contributions(self, streams, best.tolist(), mine[best], torch.ones(len(best)), along, towards)

    def samples(self, taken: Callable[[Site], Tensor]) -> Iterator[tuple[int, Tensor]]:
        yield 0, taken(self.site)


class Channels:
    """See `unit.Kind`."""

    def bind(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> Sequence[ChannelGroup]:
        return (ChannelGroup(module, anatomy, layer),)
