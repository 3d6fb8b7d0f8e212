"""What a kind of unit is: the interface behind which dense value vectors, experts and heads are alike.

A unit is what can be read, named, ranked, edited and searched. The units of one kind that share a module in a layer are
a `Group`; a `Kind` finds the groups of a layer. A new kind is one module with both, and one call of `register`
(CONTRIBUTING shows one).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.streams import Arrival, LayerStreams
from lm_debugger.engine.sites import Site, Write
from lm_debugger.errors import EditError
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.names import Extent, UnitName
from lm_debugger.units.blocks import Block


class Contribution(NamedTuple):
    """What one unit adds to the residual stream at one position; see `records.trace.SubUpdate` for the terms."""

    name: UnitName
    coefficient: float
    norm: float
    score: float
    share: float
    effect: float | None


class Group(Arrival, ABC):
    """Units of one kind that share a module in one layer.

    Args:
        layer: index of the layer.
        first: number of the first unit among those of its kind in the layer.
        extent: how many units the group has.

    Attributes:
        operations: what an edit can do to a unit of this kind.
        operations_help: how to write that, for errors.
    """

    layer: int
    first: int
    extent: Extent
    operations: frozenset[Operation] = frozenset(Operation)
    operations_help: str = ""

    @property
    @abstractmethod
    def taps(self) -> tuple[Site, ...]:
        """What has to be captured to read the units."""

    @property
    def kept(self) -> int:
        """Numbers that are kept for each token to read the units, beside the residual stream: about, at most."""
        return self.extent.units

    @property
    def always(self) -> tuple[Site, ...]:
        """What is read in every forward with writes, so that it computes alike whatever is written."""
        return ()

    @abstractmethod
    def write(self, index: int, scale: float, shift: float, *, maximum: bool, start: int, stop: int) -> Write:
        """The change of one unit: m' = scale · m + shift at positions start ≤ position < stop."""

    def name(self, index: int) -> UnitName:
        """The name of the group's unit number `index`."""
        return self.extent.name(self.layer, index)

    def number(self, name: UnitName) -> int:
        """The number in the group of a unit that it has."""
        return self.extent.number(name)

    def check(self, edit: Edit) -> None:
        """Raise EditError if the edit does what cannot be done to units of this kind."""
        if edit.operation not in self.operations:
            raise EditError(f"Edit '{edit}' cannot be made.", self.operations_help)


class ValueGroup(Group):
    """A group of units with a coefficient and a vector each: coefficient · vector is what they add."""

    @property
    def taps(self) -> tuple[Site, ...]:
        """See `Group`."""
        return (*self.sites, *self.coefficient_sites)

    @property
    @abstractmethod
    def coefficient_sites(self) -> tuple[Site, ...]:
        """What has to be captured to read the coefficients alone."""

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """All vectors, as matrices that lie together."""

    @abstractmethod
    def matrix_of(self, index: int) -> tuple[Tensor, int]:
        """The matrix that holds a unit's vector, and its row there; a view of the weights where possible."""

    def holders(self, index: int) -> list[tuple[Tensor, int]]:
        """The tensors of the model that hold a unit's vector, each with its row; they can be written to."""
        return [self.matrix_of(index)]

    def vector(self, index: int) -> Tensor:
        """A unit's vector as it arrives in the residual stream, but for token-dependent scales: (hidden,), float32."""
        matrix, row = self.matrix_of(index)
        return self.static(matrix[row])

    @abstractmethod
    def coefficients(self, streams: LayerStreams) -> Tensor:
        """The coefficients of all units: (positions, units), float32."""

    def course(self, streams: LayerStreams, index: int) -> Tensor:
        """One unit's coefficient at each position: (positions,), float32."""
        return self.coefficients(streams)[:, index]

    @abstractmethod
    def strongest(self, streams: LayerStreams, count: int, direction: Tensor | None) -> list[Contribution]:
        """The units with the largest |coefficient| · norm at one position, in no order.

        Args:
            streams: the layer's streams at a single position.
            count: how many at most.
            direction: see `LogitLens.direction`; None to leave effects out.
        """

    def bias(self, streams: LayerStreams) -> Tensor | None:
        """What the module adds beside coefficient · vector, before the route: (positions, hidden), or None."""
        return None

    def summed(self, streams: LayerStreams) -> Tensor:
        """Sum of coefficient · vector, plus the module's bias, before the route: (positions, hidden)."""
        coefficients, bias = self.coefficients(streams), self.bias(streams)
        parts = [coefficients[:, b.first : b.first + len(b)] @ b.matrix.float() for b in self.blocks()]
        return torch.stack(parts if bias is None else [*parts, bias.expand_as(parts[0])]).sum(0)

    @abstractmethod
    def samples(self, taken: Callable[[Site], Tensor]) -> Iterator[tuple[int, Tensor]]:
        """Coefficients to be measured, from the tensors (tokens, …) at the coefficient sites.

        Returns:
            Pairs of a slot and coefficients (tokens, units of the slot). The group's units are its slots' one after the
            other.
        """

    @property
    def slots(self) -> int:
        """How many parts of the group see tokens of their own."""
        return 1

    @property
    def stored(self) -> tuple[str, int]:
        """Where the vectors are in a checkpoint: the name of a parameter of the module, and how many matrices that
        packs, 0 for one plain matrix.
        """
        return "weight", 0


class Kind(Protocol):
    """A kind of unit."""

    def bind(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> Sequence[Group]:
        """The groups of this kind in a layer; none if it has no such units."""


_kinds: list[Kind] = []


def register(kind: Kind) -> None:
    """Have models loaded from now on know a kind of unit."""
    _kinds.append(kind)


def unregister(kind: Kind) -> None:
    """Forget a kind of unit."""
    _kinds.remove(kind)


def bind(module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> list[Group]:
    """All groups of a layer, kind after kind."""
    return [group for kind in _kinds for group in kind.bind(module, anatomy, layer)]


def contributions(
    group: ValueGroup,
    streams: LayerStreams,
    indices: Sequence[int],
    coefficients: Tensor,
    norms: Tensor,
    along: Tensor,
    towards: Tensor | None,
) -> list[Contribution]:
    """Put the numbers of some units of a group together, at a single position.

    Args:
        along: the vectors' products with the feed-forward's contribution.
        towards: their products with a direction, or None.
    """
    scale = streams.scale(group).flatten()
    output = streams.contribution[0].double()  # in float64, because squares of what strong edits give overflow float32
    shares = coefficients * scale * along.double() / (output @ output).clamp_min(1e-30)
    norms = norms * scale.abs()
    scores = coefficients.abs() * norms
    effects = [None] * len(indices) if towards is None else (coefficients * scale * towards).tolist()
    columns = (coefficients.tolist(), norms.tolist(), scores.tolist(), shares.tolist(), effects)
    return [Contribution(group.name(index), *numbers) for index, *numbers in zip(indices, *columns, strict=True)]
