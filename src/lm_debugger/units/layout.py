"""Numbers all value vectors of a model in the order of its blocks, and finds a vector's name by its number and back."""

from itertools import accumulate

import torch
from torch import Tensor

from lm_debugger.records.names import UnitName
from lm_debugger.units.blocks import Vectors


class Layout:
    """Where each value vector stands among all.

    Attributes:
        vectors: how many there are.
    """

    def __init__(self, source: Vectors) -> None:
        self._extents = [source.vectors(layer) for layer in range(source.layers)]
        self._starts = [0, *accumulate(sum(extent.units for extent in layer) for layer in self._extents)]
        self._bounds = torch.tensor(self._starts[1:])
        self.vectors = self._starts[-1]

    def rows(self, layer: int) -> slice:
        """The numbers of a layer's vectors."""
        return slice(self._starts[layer], self._starts[layer + 1])

    def layers(self, numbers: Tensor) -> Tensor:
        """The layers of vectors, by number."""
        return torch.searchsorted(self._bounds, numbers, right=True)

    def name(self, number: int) -> UnitName:
        """The name of a vector."""
        layer = int(self.layers(torch.tensor(number)))
        inside = number - self._starts[layer]
        for extent in self._extents[layer]:
            if inside < extent.units:
                return extent.name(layer, inside)
            inside -= extent.units
        raise IndexError(number)

    def number(self, name: UnitName) -> int:
        """The number of a vector. The name must exist."""
        start = self._starts[name.layer]
        for extent in self._extents[name.layer]:
            if extent.letters == name.letters:
                return start + extent.number(name)
            start += extent.units
        raise KeyError(str(name))
