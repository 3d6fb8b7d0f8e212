"""All value vectors of a model, block by block: the seam between the weights and what is computed over all of them.

A block is a matrix of value vectors as it lies in the weights, or a part of one. Whoever needs all vectors goes through
the blocks, and so works alike on a model in memory and on weights that are streamed from disk. Nothing here copies a
weight matrix whole: where vectors must be float32 and are not, `PIECE` numbers are converted at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import Arrival
from lm_debugger.records.names import Extent, UnitName

PIECE = 1 << 24  # numbers converted at a time: 64 MB in float32
FEW = 8  # directions that are multiplied one by one


class Block(NamedTuple):
    """Value vectors that lie together.

    Args:
        layer: where they are.
        namer: gives the name of a unit of the group by its number.
        first: number of the first one in its group.
        matrix: the vectors as they are in the weights: (vectors, hidden).
        group: knows how they arrive in the residual stream.
    """

    layer: int
    namer: Callable[[int], UnitName]
    first: int
    matrix: Tensor
    group: Arrival

    def __len__(self) -> int:
        return self.matrix.shape[0]

    def name(self, row: int) -> UnitName:
        """The name of the vector in a row."""
        return self.namer(self.first + row)

    def pieces(self) -> Iterator[Tensor]:
        """The vectors as they arrive in the residual stream (`Arrival.static`), some rows at a time: float32."""
        for rows in self.matrix.split(max(1, PIECE // self.matrix.shape[1])):
            yield self.group.static(rows)

    def products(self, directions: Tensor) -> Tensor:
        """Products of directions (K, hidden), float32, with the arriving vectors: (K, vectors).

        The weights are used where they are: it is the directions that are taken back along the vectors' route.
        """
        back = self.group.adjoint(directions)
        if self.matrix.dtype == torch.float32:
            return _products(back, self.matrix)
        rows = self.matrix.split(max(1, PIECE // self.matrix.shape[1]))
        return torch.cat([_products(back, part.float()) for part in rows], -1)


def _products(rows: Tensor, matrix: Tensor) -> Tensor:
    """Products of rows (K, hidden) with the rows of a matrix: (K, vectors)."""
    if not 1 < len(rows) <= FEW:
        return rows @ matrix.T
    # Matrix by vector, each: the libraries' products with a matrix of few rows take about twice as long.
    return torch.bmm(rows[:, None], matrix.T.expand(len(rows), -1, -1))[:, 0]


class Vectors(Protocol):
    """All value vectors of a model: in memory, or on disk."""

    @property
    def fingerprint(self) -> str:
        """Identifies architecture and weights."""

    @property
    def layers(self) -> int:
        """Number of layers."""

    def extents(self, layer: int) -> tuple[Extent, ...]:
        """How many units of each kind the layer has."""

    def vectors(self, layer: int) -> tuple[Extent, ...]:
        """Those of them that are vectors, in the order of the blocks."""

    def value_blocks(self, layers: Iterable[int] | None = None) -> Iterator[Block]:
        """The value vectors of layers (None: of all), kind after kind, expert by expert; always in this order."""

    def vector(self, name: UnitName) -> Tensor:
        """A value vector as it arrives in the residual stream: (hidden,), float32. The name must exist."""
