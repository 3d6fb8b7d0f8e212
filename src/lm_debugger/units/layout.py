"""Numbers all value vectors of a model in the order of its blocks, and finds a vector's name by its number and back."""

from itertools import accumulate

import torch
from torch import Tensor

from lm_debugger.records.names import ValueName
from lm_debugger.units.blocks import ValueSource


class Layout:
    """Where each value vector stands among all.

    Attributes:
        vectors: how many there are.
    """

    def __init__(self, source: ValueSource) -> None:
        self._dense = [source.dense_width(layer) for layer in range(source.layers)]
        self._experts = [source.experts(layer) for layer in range(source.layers)]
        widths = [dense + count * width for dense, (count, width) in zip(self._dense, self._experts, strict=True)]
        self._starts = [0, *accumulate(widths)]
        self._bounds = torch.tensor(self._starts[1:])
        self.vectors = self._starts[-1]

    def rows(self, layer: int) -> slice:
        """The numbers of a layer's vectors."""
        return slice(self._starts[layer], self._starts[layer + 1])

    def layers(self, numbers: Tensor) -> Tensor:
        """The layers of vectors, by number."""
        return torch.searchsorted(self._bounds, numbers, right=True)

    def name(self, number: int) -> ValueName:
        """The name of a vector."""
        layer = int(self.layers(torch.tensor(number)))
        inside = number - self._starts[layer]
        if inside < self._dense[layer]:
            return ValueName(layer, inside)
        expert, dimension = divmod(inside - self._dense[layer], self._experts[layer][1])
        return ValueName(layer, dimension, expert)

    def number(self, name: ValueName) -> int:
        """The number of a vector. The name must exist."""
        start = self._starts[name.layer]
        if name.expert is None:
            return start + name.dimension
        return start + self._dense[name.layer] + name.expert * self._experts[name.layer][1] + name.dimension
