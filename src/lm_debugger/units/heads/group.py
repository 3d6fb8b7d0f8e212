"""The heads of a layer as units: what has to be captured for them, how one is switched off, their weights.

Head h writes what its slice of the output projection's input makes of its rows of the projection, through the route.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from lm_debugger.anatomy.linear import Linear
from lm_debugger.anatomy.parts import Anatomy, Heads, Step
from lm_debugger.engine.sites import Side, Site, Write
from lm_debugger.records.edit import Operation
from lm_debugger.records.names import Extent
from lm_debugger.units.unit import Group, register


class HeadGroup(Group):
    """The heads of one layer.

    Attributes:
        heads: the anatomy's entry.
        projection: the output projection's weights.
        slices_site: where what the heads give to the projection is read and changed.
    """

    operations = frozenset((Operation.OFF, Operation.SCALE))
    operations_help = "A head can be switched off or scaled: write =off, or *= and a number such as *=2."

    def __init__(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int, heads: Heads) -> None:
        super().__init__(heads.path, heads.route, module, anatomy.hidden_size)
        self.layer = layer
        self.first = 0
        self.extent = Extent("H", (heads.count,))
        self.heads = heads
        self.projection = Linear(module(heads.path), heads.count * heads.width, anatomy.hidden_size)
        self.slices_site = Site(path=heads.path, side=Side.INPUT)

    @property
    def taps(self) -> tuple[Site, ...]:
        """See `Group`. What the projection gives follows from its input, and is not kept."""
        return (self.slices_site, *self.sites[1:], *self._arrives)

    @property
    def proof_taps(self) -> tuple[Site, ...]:
        """What has to be captured beside `taps` to prove the heads."""
        return (self.sites[0], *(term.site for term in self.heads.rest))

    @property
    def _arrives(self) -> tuple[Site, ...]:
        """The stream that the heads write to, where no other part of the layer keeps it."""
        return () if self.heads.arrives is None else (self.heads.arrives,)

    @property
    def kept(self) -> int:
        """See `Group`."""
        return self.heads.count * self.heads.width + len(self._arrives) * self.projection.height

    def write(self, index: int, scale: float, shift: float, *, maximum: bool, start: int, stop: int) -> Write:
        """See `Group`."""
        width = self.heads.width
        return Write(self.slices_site, index * width, width, scale, shift, maximum, start, stop)

    def matrix(self, head: int) -> Tensor:
        """One head's rows of the output projection (width, hidden); a view of the weights where possible."""
        return self.projection.matrix[head * self.heads.width : (head + 1) * self.heads.width]

    def holders(self, head: int) -> list[tuple[Tensor, int]]:
        """The tensors of the model that hold a head's rows, each with one of them; they can be written to."""
        width = self.heads.width
        return [
            (matrix, row) for matrix in self.projection.holders() for row in range(head * width, (head + 1) * width)
        ]

    @property
    def summed(self) -> tuple[Step, ...]:
        """The route up to where the mixer's output is added to the stream."""
        steps = self.route
        if not self.heads.post_norm:
            return steps
        return steps[: next(i for i, step in enumerate(steps) if step.path == self.heads.post_norm)]


class HeadKind:
    """See `unit.Kind`."""

    def bind(self, module: Callable[[str], nn.Module], anatomy: Anatomy, layer: int) -> Sequence[HeadGroup]:
        """See `Kind`."""
        heads = anatomy.layers[layer].heads
        return [] if heads is None else [HeadGroup(module, anatomy, layer, heads)]


register(HeadKind())
