"""Applies the model's own way from the residual stream to logits (the logit lens), and projects single vectors."""

from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.linear import Linear
from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Anatomy


class LogitLens:
    """The logit lens (nostalgebraist 2020): final norm, unembedding, logit scale or soft cap.

    Args:
        network: the model.
        anatomy: its anatomy.
    """

    def __init__(self, network: PreTrainedModel, anatomy: Anatomy) -> None:
        self._readout = anatomy.readout
        self._modules = [network.get_submodule(path) for path in anatomy.readout.modules]
        self._hidden = self.hidden = anatomy.hidden_size
        self._norms = [probe(module, self._hidden) for module in self._modules]
        parameter = next(self._modules[-1].parameters(), None)
        self._dtype = network.dtype if parameter is None else parameter.dtype
        self.vocabulary = anatomy.readout.vocabulary
        self._offset: Tensor | None = None
        self._post_norm = any(layer.after_norm for layer in anatomy.layers)

    @torch.no_grad()
    def logits(self, residuals: Tensor) -> Tensor:
        """Logits (N, vocabulary), float32, of residual vectors (N, hidden)."""
        return self._capped(self.uncapped(residuals))

    @property
    def soft_cap(self) -> float:
        """The c in c·tanh(logit/c), 0 for none."""
        return self._readout.soft_cap

    def uncapped(self, residuals: Tensor) -> Tensor:
        """The same before the soft cap; differentiable."""
        return self._scaled(self._unembed(self._normed(residuals)))

    @torch.no_grad()
    def project(self, vectors: Tensor) -> Tensor:
        """Value vectors (N, hidden) in vocabulary space: (N, vocabulary), float32.

        The final norm's weight is folded in, and its centring, but not its scale, which depends on the residual
        stream that the vector is added to (docs/method.md). No bias, logit scale or soft cap is applied.
        """
        return self._unbiased(self._unembed(self._folded(vectors)))

    @torch.no_grad()
    def read(self, residuals: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """`logits` of residuals and `project` of vectors at once: fetching the matrix takes most of the time."""
        count = len(residuals)
        left = self._unembed(torch.cat([self._normed(residuals), self._folded(vectors)]))
        return self._capped(self._scaled(left[:count])), self._unbiased(left[count:])

    def _normed(self, residuals: Tensor) -> Tensor:
        """Residuals as they enter the unembedding: (N, channels)."""
        *ways, last = self._readout.scales
        stream = residuals.to(self._dtype)[None]
        for module, scale in zip(self._modules[:-1], ways, strict=True):
            stream = module(stream if scale == 1 else stream * scale)
        return stream[0] if last == 1 else stream[0] * last

    def _folded(self, vectors: Tensor) -> Tensor:
        """Vectors as they enter the unembedding, but for the norms' scales: (N, channels)."""
        stream = vectors
        for module, norm in zip(self._modules[:-1], self._norms[:-1], strict=True):
            stream = norm.linear(stream) if norm is not None else module(stream.to(self._dtype)[None])[0]
        return stream.to(self._dtype)

    def _unembed(self, stream: Tensor) -> Tensor:
        logits: Tensor = self._modules[-1](stream[None])[0, :, : self.vocabulary]
        return logits.float()

    def _scaled(self, logits: Tensor) -> Tensor:
        return logits if self._readout.logit_scale == 1 else logits * self._readout.logit_scale

    def _capped(self, logits: Tensor) -> Tensor:
        return self.soft_cap * torch.tanh(logits / self.soft_cap) if self.soft_cap else logits

    def _unbiased(self, logits: Tensor) -> Tensor:
        """Without the unembedding's bias, which is what it gives for nothing and says nothing of a vector."""
        if self._offset is None:
            nothing = torch.zeros(1, self._hidden, dtype=self._dtype, device=logits.device)
            self._offset = self._unembed(torch.zeros_like(self._folded(nothing)))
        return logits - self._offset if bool(self._offset.any()) else logits

    @torch.no_grad()
    def direction(self, token: int, residual: Tensor) -> Tensor | None:
        """What a vector added to the last residual (hidden,) is multiplied with to give its effect on a token's logit.

        The final norm is held at its scale for this residual. None where the way to the logits is not one norm and a
        plain unembedding, or where a norm comes after the last layer's sum.
        """
        weight = getattr(self._modules[-1], "weight", None)
        norm = self._norms[0]
        if len(self._modules) != 2 or norm is None or self._post_norm or not isinstance(weight, Tensor):
            return None
        if weight.shape[1:] != (self._hidden,) or self._readout.soft_cap or self._readout.scales[0] != 1:
            return None
        stream = residual.to(self._dtype)[None, None]
        scale = norm.scale(stream[0, 0].float(), self._modules[0](stream)[0, 0])
        return norm.adjoint(weight[token].float()) * scale * self._readout.scales[1] * self._readout.logit_scale

    @torch.no_grad()
    def directions(self, tokens: Tensor | slice) -> Tensor:
        """What a vector is multiplied with to give its projection onto tokens: (tokens, hidden), float32.

        The transpose of `project`: project(v)[t] = v · directions(t). One row a token; ask for parts of a large
        vocabulary.
        """
        *ways, unembedding = self._ways
        assert isinstance(unembedding, Linear)
        rows = unembedding.matrix.T[: self.vocabulary][tokens].float()
        for way in reversed(ways):
            rows = way.adjoint(rows) if isinstance(way, NormForm) else rows @ way.matrix.float().T
        return rows

    @cached_property
    @torch.no_grad()
    def _ways(self) -> list[NormForm | Linear]:
        """The steps of `project` as linear maps, the last of them the unembedding."""
        stream = torch.zeros(1, self._hidden, dtype=self._dtype, device=next(self._modules[-1].parameters()).device)
        ways: list[NormForm | Linear] = []
        for module, norm in zip(self._modules[:-1], self._norms[:-1], strict=True):
            left = stream if norm is not None else module(stream[None])[0]
            ways.append(norm if norm is not None else Linear(module, stream.shape[-1], left.shape[-1], like=stream))
            stream = left
        return [*ways, Linear(self._modules[-1], stream.shape[-1], self.vocabulary)]
