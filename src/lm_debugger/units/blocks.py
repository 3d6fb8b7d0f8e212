"""All value vectors of a model, block by block: the seam between the weights and what is computed over all of them.

A block is a matrix of value vectors as it lies in the weights, or a part of one. Whoever needs all vectors goes through
the blocks, and so works alike on a model in memory and on weights that are streamed from disk. Nothing here copies a
weight matrix whole: where vectors must be float32 and are not, `PIECE` numbers are converted at a time.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lm_debugger.anatomy.arrival import Arrival
from lm_debugger.lenses.logit import BoundReadOut
from lm_debugger.records.names import ValueName
from lm_debugger.source.vocabulary import Vocabulary

PIECE = 1 << 24  # numbers converted at a time: 64 MB in float32


class Block(NamedTuple):
    """Value vectors that lie together.

    Args:
        layer, expert: where they are; expert is None for dense feed-forward weights.
        first: dimension of the first one.
        matrix: the vectors as they are in the weights: (vectors, hidden).
        group: knows how they arrive in the residual stream.
    """

    layer: int
    expert: int | None
    first: int
    matrix: Tensor
    group: Arrival

    def __len__(self) -> int:
        return self.matrix.shape[0]

    def name(self, row: int) -> ValueName:
        """The name of the vector in a row."""
        return ValueName(self.layer, self.first + row, self.expert)

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
            return back @ self.matrix.T
        rows = self.matrix.split(max(1, PIECE // self.matrix.shape[1]))
        return torch.cat([back @ part.float().T for part in rows], -1)


class ValueSource(Protocol):
    """Weights that can be searched: a loaded model, or weights on disk.

    Attributes:
        vocabulary: the model's tokens.
        readout: from the residual stream to the vocabulary.
    """

    vocabulary: Vocabulary
    readout: BoundReadOut

    @property
    def fingerprint(self) -> str:
        """Identifies architecture and weights."""

    @property
    def layers(self) -> int:
        """Number of layers."""

    def dense_width(self, layer: int) -> int:
        """Number of value vectors in the layer's dense feed-forward weights."""

    def experts(self, layer: int) -> tuple[int, int]:
        """Number of experts in the layer and of value vectors in each."""

    def value_blocks(self, layers: Iterable[int] | None = None) -> Iterator[Block]:
        """The value vectors of layers (None: of all), dense ones first, then expert by expert; always in this order."""

    def vector(self, name: ValueName) -> Tensor:
        """A value vector as it arrives in the residual stream: (hidden,), float32. The name must exist."""
