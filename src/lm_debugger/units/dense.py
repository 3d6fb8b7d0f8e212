"""Dense value vectors, `L12D345`: the columns of a layer's down projections. Their coefficients are its input."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from torch import Tensor, nn

from lm_debugger.anatomy.linear import Linear
from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.parts import Group as Part
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.sites import Side, Site, Write
from lm_debugger.records.names import Extent, UnitName, ValueName
from lm_debugger.units.blocks import Block
from lm_debugger.units.unit import Contribution, ValueGroup, contributions, register


class DenseGroup(ValueGroup):
    """A down projection. Dimensions of a layer's several down projections are numbered on.

    Attributes:
        linear: the weights.
    """

    def __init__(
        self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int, part: Part, first: int
    ) -> None:
        super().__init__(part.path, part.route, module, anatomy.hidden_size)
        self.layer = layer
        self.first = first
        self.extent = Extent("D", (part.width,))
        self.linear = Linear(module(part.path), part.width, anatomy.hidden_size)
        self._input = Site(path=part.path, side=Side.INPUT)

    @property
    def coefficient_sites(self) -> tuple[Site, ...]:
        """See `ValueGroup`."""
        return (self._input,)

    def name(self, index: int) -> UnitName:
        """See `Group`."""
        return ValueName(self.layer, self.first + index)

    def number(self, name: UnitName) -> int:
        """See `Group`."""
        return name.numbers[0] - self.first

    def write(self, index: int, scale: float, shift: float, *, maximum: bool, start: int, stop: int) -> Write:
        """See `Group`."""
        return Write(self._input, index, 1, scale, shift, maximum, start, stop)

    def blocks(self) -> Iterator[Block]:
        """See `ValueGroup`."""
        yield Block(self.layer, self.name, 0, self.linear.matrix, self)

    def matrix_of(self, index: int) -> tuple[Tensor, int]:
        """See `ValueGroup`."""
        return self.linear.matrix, index

    def holders(self, index: int) -> list[tuple[Tensor, int]]:
        """See `ValueGroup`."""
        return [(matrix, index) for matrix in self.linear.holders()]

    @cached_property
    def norms_of_vectors(self) -> Tensor:
        """Lengths of the vectors: (units,)."""
        lengths: Tensor = self.static(self.linear.matrix).norm(dim=-1)
        return lengths

    def coefficients(self, streams: LayerStreams) -> Tensor:
        """See `ValueGroup`."""
        return streams.at(self._input)

    def strongest(self, streams: LayerStreams, count: int, direction: Tensor | None) -> list[Contribution]:
        """See `ValueGroup`."""
        coefficients, norms = self.coefficients(streams)[0], self.norms_of_vectors
        best = (coefficients.abs() * norms).topk(min(count, len(norms))).indices
        along = self._along(streams.contribution[0], best)
        towards = None if direction is None else self._along(direction, best)
        return contributions(self, streams, best.tolist(), coefficients[best], norms[best], along, towards)

    def _along(self, direction: Tensor, indices: Tensor) -> Tensor:
        """Products of vectors, as `static` gives them, with a direction (hidden,): (indices,).

        One product with the whole matrix: picking single columns of it out of memory takes several times as long.
        """
        matrix = self.linear.matrix
        if matrix.dtype != direction.dtype:
            return self.static(matrix[indices]) @ direction
        found: Tensor = (matrix @ self.adjoint(direction))[indices]
        return found

    def bias(self, streams: LayerStreams) -> Tensor | None:
        """See `ValueGroup`."""
        bias = self.linear.bias.float()
        return bias.expand(len(streams.total), -1) if bool(bias.any()) else None

    def samples(self, taken: Callable[[Site], Tensor]) -> Iterator[tuple[int, Tensor]]:
        """See `ValueGroup`."""
        yield 0, taken(self._input)


class Dense:
    """See `unit.Kind`."""

    def bind(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> Sequence[DenseGroup]:
        """See `Kind`."""
        found: list[DenseGroup] = []
        first = 0
        for part in anatomy.layers[layer].dense:
            found.append(DenseGroup(module, anatomy, layer, part, first))
            first += part.width
        return found


register(Dense())
