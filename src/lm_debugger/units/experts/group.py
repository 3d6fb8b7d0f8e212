"""Experts' value vectors, `L12E3D45`: coefficients include the router's weight, and are 0 where it chose others."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.linear import Experts
from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.parts import Group as Part
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.sites import Site, Write
from lm_debugger.records.names import Extent
from lm_debugger.units.blocks import Block
from lm_debugger.units.experts.port import CHOSEN, COEFFICIENT, WEIGHT
from lm_debugger.units.unit import Contribution, ValueGroup, contributions, register


class ExpertsGroup(ValueGroup):
    """All experts of a layer.

    Attributes:
        experts: the weights.
    """

    first = 0

    def __init__(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int, part: Part) -> None:
        super().__init__(part.path, part.route, module, anatomy.hidden_size)
        self.layer = layer
        self.extent = Extent("ED", (part.experts, part.width))
        self.experts = Experts(module(part.path))
        self._chosen, self._coefficient, self._weight = (
            Site(path=part.path, side=side) for side in (CHOSEN, COEFFICIENT, WEIGHT)
        )

    @property
    def coefficient_sites(self) -> tuple[Site, ...]:
        """See `ValueGroup`."""
        return (self._chosen, self._coefficient, self._weight)

    @property
    def kept(self) -> int:
        """See `Group`: of the experts that a router may choose for a token, 8 are many."""
        return 8 * self.experts.width

    @property
    def always(self) -> tuple[Site, ...]:
        """See `Group`: transformers' own implementations round differently."""
        return (self._chosen,)

    @property
    def slots(self) -> int:
        """See `ValueGroup`: an expert sees the tokens that the router sends it."""
        return self.experts.count

    @property
    def stored(self) -> tuple[str, int]:
        """See `ValueGroup`."""
        return "down_proj", self.experts.count

    def write(self, index: int, scale: float, shift: float, *, maximum: bool, start: int, stop: int) -> Write:
        """See `Group`."""
        return Write(self._coefficient, index, 1, scale, shift, maximum, start, stop)

    def blocks(self) -> Iterator[Block]:
        """See `ValueGroup`."""
        for expert in range(self.experts.count):
            yield Block(self.layer, self.name, expert * self.experts.width, self.experts.matrix(expert), self)

    def matrix_of(self, index: int) -> tuple[Tensor, int]:
        """See `ValueGroup`."""
        expert, row = divmod(index, self.experts.width)
        return self.experts.matrix(expert), row

    @cached_property
    def norms_of_vectors(self) -> Tensor:
        """Lengths of the vectors: (experts, width)."""
        each = range(self.experts.count)
        return torch.stack([self.static(self.experts.matrix(expert)).norm(dim=-1) for expert in each])

    def routed(self, streams: LayerStreams) -> tuple[Tensor, Tensor, Tensor]:
        """The experts chosen (positions, K), their coefficients (positions, K, width) and router weights."""
        return streams.raw(self._chosen), streams.at(self._coefficient), streams.at(self._weight)

    def coefficients(self, streams: LayerStreams) -> Tensor:
        """See `ValueGroup`."""
        chosen, coefficients, _ = self.routed(streams)
        found = coefficients.new_zeros(len(chosen), self.experts.count + 1, self.experts.width)
        # A router may choose "no expert", which is numbered beyond the last one.
        index = chosen.clamp(max=self.experts.count)[..., None].expand_as(coefficients)
        return found.scatter_add(1, index, coefficients)[:, :-1].flatten(1)

    def course(self, streams: LayerStreams, index: int) -> Tensor:
        """See `ValueGroup`."""
        expert, dimension = divmod(index, self.experts.width)
        chosen, coefficients, _ = self.routed(streams)
        # The router gives a token each expert at most once, so that the sum has at most one term.
        return (coefficients[..., dimension] * (chosen == expert)).sum(-1)

    def strongest(self, streams: LayerStreams, count: int, direction: Tensor | None) -> list[Contribution]:
        """See `ValueGroup`."""
        chosen, coefficients, _ = (value[0] for value in self.routed(streams))  # (K,), (K, width)
        width = self.experts.width
        experts = chosen.clamp(max=self.experts.count - 1)
        norms = self.norms_of_vectors[experts]
        best = (coefficients.abs() * norms).flatten().topk(min(count, norms.numel())).indices
        indices = (experts[best // width] * width + best % width).tolist()
        arriving = torch.stack([self.vector(index) for index in indices])
        along = arriving @ streams.contribution[0]
        towards = None if direction is None else arriving @ direction
        flat = coefficients.flatten()[best]
        return contributions(self, streams, indices, flat, norms.flatten()[best], along, towards)

    def bias(self, streams: LayerStreams) -> Tensor | None:
        """See `ValueGroup`: each expert's bias times the router's weight."""
        chosen, _, weights = self.routed(streams)
        total: Tensor | None = None
        for expert in chosen.unique().tolist():
            bias = self.experts.bias(expert) if expert < self.experts.count else None
            if bias is not None:
                added = (weights * (chosen == expert)).sum(1, keepdim=True) * bias.float()
                total = added if total is None else total + added
        return total

    def summed(self, streams: LayerStreams) -> Tensor:
        """See `ValueGroup`."""
        chosen, coefficients, _ = self.routed(streams)
        total = streams.total.new_zeros(streams.total.shape)
        for expert in chosen.unique().tolist():
            if expert >= self.experts.count:
                continue
            here = chosen == expert  # (positions, K)
            total += (coefficients * here[..., None]).sum(1) @ self.experts.matrix(expert).float()
        bias = self.bias(streams)
        return total if bias is None else total + bias

    def samples(self, taken: Callable[[Site], Tensor]) -> Iterator[tuple[int, Tensor]]:
        """See `ValueGroup`."""
        chosen, coefficients = taken(self._chosen), taken(self._coefficient)
        for expert in chosen.unique().tolist():
            if expert < self.experts.count:
                yield expert, coefficients[chosen == expert]


class MixtureOfExperts:
    """See `unit.Kind`."""

    def bind(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> Sequence[ExpertsGroup]:
        """See `Kind`."""
        part = anatomy.layers[layer].routed
        return () if part is None else (ExpertsGroup(module, anatomy, layer, part),)


register(MixtureOfExperts())
