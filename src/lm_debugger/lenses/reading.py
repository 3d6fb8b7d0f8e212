"""A model read through one lens: streams, units and tokens of any layer, brought together in the vocabulary.

The seam between a lens, which knows layers, and the read-out, which knows none. Whatever is shown as tokens goes
through here, so that every answer can be had through every lens.
"""

from collections import OrderedDict
from collections.abc import Iterable

import torch
from torch import Tensor

from lm_debugger.lenses.lens import LOGIT_LENS, Lens
from lm_debugger.lenses.projection import Projections
from lm_debugger.lenses.source import ValueSource

TOKENS_HELD = 1 << 23  # numbers of directions that are remembered: 32 MB


class Reading:
    """A model's read-out through a lens.

    Args:
        source: the model, or its weights.
        lens: the lens.

    Attributes:
        projections: what units promote, through the lens; memoised.
    """

    def __init__(self, source: ValueSource, lens: Lens = LOGIT_LENS) -> None:
        self._source = source
        self.lens = lens
        self.projections = Projections(source, lens)
        self._directions: OrderedDict[tuple[int, ...], Tensor] = OrderedDict()

    @property
    def name(self) -> str:
        """The lens's name, as answers say it."""
        return self.lens.name

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which layers the lens has no map for."""
        last = self._source.layers - 1
        bare = [layer for layer in range(last) if not self.lens.covers(layer)]
        if self.lens is LOGIT_LENS or not bare:
            return ()
        return (f"The lens {self.name} has no map for {len(bare)} layers: they are read as by the logit lens.",)

    def logits(self, streams: Iterable[tuple[int, Tensor]]) -> Tensor:
        """Logits (N, vocabulary), float32, of residual streams: pairs of a layer and vectors (n, hidden)."""
        carried = [self.lens.stream(stream, layer) for layer, stream in streams]
        return self._source.readout.logits(_together(carried))

    def project(self, vectors: Iterable[tuple[int, Tensor]]) -> Tensor:
        """Vectors that are added at layers, in vocabulary space: (N, vocabulary). Pairs as for `logits`."""
        carried = [self.lens.vector(vector, layer) for layer, vector in vectors]
        return self._source.readout.project(_together(carried))

    def read(
        self, streams: Iterable[tuple[int, Tensor]], vectors: Iterable[tuple[int, Tensor]]
    ) -> tuple[Tensor, Tensor]:
        """`logits` of streams and `project` of vectors, in one product with the unembedding."""
        carried = _together([self.lens.stream(stream, layer) for layer, stream in streams])
        added = [self.lens.vector(vector, layer) for layer, vector in vectors]
        beside = _together(added) if added else carried.new_zeros(0, carried.shape[-1])
        return self._source.readout.read(carried, beside)

    def directions(self, tokens: Tensor | slice, layer: int) -> Tensor:
        """What a vector added at a layer is multiplied with to give its projection onto tokens: (tokens, hidden)."""
        return self.lens.adjoint(self._source.readout.directions(tokens), layer)

    @torch.no_grad()
    def form(self, tokens: tuple[int, ...]) -> Tensor:
        """The mean direction of some tokens, at every layer: (layers, hidden), float32. Remembered.

        The mean direction over the vocabulary is not taken off.
        """
        found = self._directions.pop(tokens, None)
        if found is None:
            plain = self._source.readout.directions(torch.tensor(tokens)).mean(0)
            found = self.everywhere(plain)
        self._directions[tokens] = found
        while len(self._directions) > 1 and len(self._directions) * found.numel() > TOKENS_HELD:
            self._directions.popitem(last=False)
        return found

    def everywhere(self, direction: Tensor) -> Tensor:
        """A direction at the read-out's input (hidden,), taken back to every layer: (layers, hidden)."""
        if self.lens is LOGIT_LENS:
            return direction.expand(self._source.layers, -1)
        return torch.stack([self.lens.adjoint(direction, layer) for layer in range(self._source.layers)])


def _together(parts: list[Tensor]) -> Tensor:
    """Vectors on one device (a model's layers may lie on several)."""
    if len(parts) == 1:
        return parts[0]
    device = parts[-1].device
    return torch.cat([part.to(device) for part in parts])
