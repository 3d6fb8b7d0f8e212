"""What a lens is: it takes a stream at a layer's site to what the model's read-out takes. Knows no vocabulary.

One map a layer, for the stream before and after its feed-forward alike, so that what is read before, what the layer's
units add, and what is read after add up under every lens. The last layer's streams are never touched: what is read
there is the model's own.
"""

import hashlib
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from lm_debugger.records.lens import LOGIT, LensKind, LensSummary


class Lens(Protocol):
    """Takes streams, and what is added to them, from a layer to the read-out's input."""

    @property
    def name(self) -> str:
        """What answers call it."""

    @property
    def kind(self) -> LensKind:
        """How it was made."""

    @property
    def key(self) -> str:
        """Identifies its numbers."""

    def covers(self, layer: int) -> bool:
        """Whether it reads the layer otherwise than the logit lens does."""

    def stream(self, streams: Tensor, layer: int) -> Tensor:
        """Residual streams (…, hidden) at a layer, as the read-out takes them."""

    def vector(self, vectors: Tensor, layer: int) -> Tensor:
        """What is added to the stream at a layer (…, hidden), as it is added to the read-out's input."""

    def adjoint(self, directions: Tensor, layer: int) -> Tensor:
        """The transpose of `vector`: the product of vector(v) with a direction (…, hidden) is that of v with this."""


def cache_key(fingerprint: str, lens: Lens) -> str:
    """Names what is kept of a model through a lens."""
    return f"{fingerprint}-{lens.key}" if lens.key else fingerprint


class PlainLens:
    """Reads every layer as if it were the last (nostalgebraist 2020): nothing is done to a stream."""

    name = LOGIT
    kind: LensKind = "logit"
    key = ""

    def covers(self, layer: int) -> bool:
        """See `Lens`."""
        return False

    def stream(self, streams: Tensor, layer: int) -> Tensor:
        """See `Lens`."""
        return streams

    def vector(self, vectors: Tensor, layer: int) -> Tensor:
        """See `Lens`."""
        return vectors

    def adjoint(self, directions: Tensor, layer: int) -> Tensor:
        """See `Lens`."""
        return directions


LOGIT_LENS = PlainLens()


class FittedLens:
    """A lens of one matrix a layer, and perhaps one offset: lens_ℓ(h) = J_ℓ·h + b_ℓ.

    Jacobian lens: Gurnee et al. 2026, "Verbalizable Representations Form a Global Workspace in Language Models".
    Tuned lens: Belrose et al. 2023, arXiv 2303.08112.

    Args:
        about: what is known of it.
        matrices: J_ℓ by layer: (hidden, hidden), float32, on the CPU.
        offsets: b_ℓ by layer: (hidden,); none for a Jacobian lens.
    """

    def __init__(
        self, about: LensSummary, matrices: Mapping[int, Tensor], offsets: Mapping[int, Tensor] | None = None
    ) -> None:
        self.matrices = dict(sorted(matrices.items()))
        self.offsets = dict(offsets or {})
        self.about = about if about.key else about.model_copy(update={"key": self._digest()})
        self._there: dict[tuple[int, torch.device], tuple[Tensor, Tensor | None]] = {}

    @property
    def name(self) -> str:
        """See `Lens`."""
        return self.about.name

    @property
    def kind(self) -> LensKind:
        """See `Lens`."""
        return self.about.kind

    @property
    def key(self) -> str:
        """See `Lens`."""
        return self.about.key

    def covers(self, layer: int) -> bool:
        """See `Lens`."""
        return layer in self.matrices

    @torch.no_grad()
    def stream(self, streams: Tensor, layer: int) -> Tensor:
        """See `Lens`."""
        if layer not in self.matrices:
            return streams
        matrix, offset = self._on(layer, streams.device)
        carried = streams.float() @ matrix.T
        return carried if offset is None else carried + offset

    @torch.no_grad()
    def vector(self, vectors: Tensor, layer: int) -> Tensor:
        """See `Lens`."""
        return vectors.float() @ self._on(layer, vectors.device)[0].T if layer in self.matrices else vectors

    @torch.no_grad()
    def adjoint(self, directions: Tensor, layer: int) -> Tensor:
        """See `Lens`."""
        return directions.float() @ self._on(layer, directions.device)[0] if layer in self.matrices else directions

    def _on(self, layer: int, device: torch.device) -> tuple[Tensor, Tensor | None]:
        """A layer's map on a device; moved there once."""
        found = self._there.get((layer, device))
        if found is None:
            offset = self.offsets.get(layer)
            found = self.matrices[layer].to(device), None if offset is None else offset.to(device)
            self._there[layer, device] = found
        return found

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for layer, matrix in self.matrices.items():
            digest.update(f"{layer} ".encode())
            for part in (matrix, self.offsets.get(layer)):
                if part is not None:
                    digest.update(part.contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()[:16]
