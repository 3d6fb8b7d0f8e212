"""The way from a last residual to tokens' logits, gone backwards: what any part of the residual adds to them.

The read-out's modules are taken one by one from the last: linear maps as they are, norms at their scale for this
residual, anything else by its slope here (its derivative), with what the slope leaves over as a number of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.linear import Linear, is_affine, plain_matrix
from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Anatomy


@dataclass
class Back:
    """Combinations of logits (before a soft cap) as functions of a residual: direction · residual + the biases.

    Args:
        direction: (hidden,), float32.
        norm_bias: what biases of norms add.
        unembedding_bias: what the unembedding's bias adds.
        rest: what other modules of the read-out add beyond their slope.
    """

    direction: Tensor
    norm_bias: float = 0.0
    unembedding_bias: float = 0.0
    rest: float = 0.0


class Backward:
    """Goes back through one model's read-out.

    Args:
        network: the model.
        anatomy: its anatomy.
    """

    def __init__(self, network: PreTrainedModel, anatomy: Anatomy) -> None:
        self._readout = anatomy.readout
        self._modules = [network.get_submodule(path) for path in anatomy.readout.modules]
        parameter = next(self._modules[-1].parameters(), None)
        self._dtype = network.dtype if parameter is None else parameter.dtype
        self._hidden = anatomy.hidden_size

    @torch.no_grad()
    def from_logits(self, weights: Sequence[tuple[int, float]], residual: Tensor) -> Back:
        """Go back from a weighted sum of tokens' logits.

        Args:
            weights: pairs of a token and its weight, such as (target, 1), (against, -1).
            residual: the last residual stream at the position, (hidden,).
        """
        entered, left = self._streams(residual)
        tokens = [token for token, _ in weights]
        factors = torch.tensor([factor for _, factor in weights], device=residual.device) * self._readout.logit_scale
        back = Back(torch.zeros(()))
        for number in reversed(range(len(self._modules))):
            way = self._ways[number]
            last = number == len(self._modules) - 1
            if isinstance(way, Linear):
                matrix, bias = way.matrix, way.bias.float()
                if last:
                    back.unembedding_bias += float(bias[tokens] @ factors)
                    back.direction = matrix[:, tokens].float() @ factors
                else:
                    back.rest += float(bias @ back.direction)
                    back.direction = matrix.float() @ back.direction
            elif isinstance(way, NormForm):
                scale = way.scale(entered[number].float(), left[number])
                back.norm_bias += float(way.bias @ back.direction)
                back.direction = way.adjoint(back.direction) * scale
            else:
                direction = torch.zeros_like(left[number], dtype=torch.float32)
                if last:
                    direction[tokens] = factors
                else:
                    direction = back.direction
                self._by_slope(number, entered[number], left[number], direction, back)
            back.direction = back.direction * self._readout.scales[number]
        return back

    def _streams(self, residual: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What enters and leaves each module, (channels,) each."""
        entered, left = [], []
        stream = residual.to(self._dtype)
        for module, scale in zip(self._modules, self._readout.scales, strict=True):
            entered.append(stream if scale == 1 else stream * scale)
            stream = module(entered[-1][None, None])[0, 0]
            left.append(stream)
        return entered, left

    def _by_slope(self, number: int, entered: Tensor, left: Tensor, direction: Tensor, back: Back) -> None:
        with torch.enable_grad():
            at = entered[None, None].detach().requires_grad_()
            (slope,) = torch.autograd.grad(self._modules[number](at), at, direction.to(left.dtype)[None, None])
        back.direction = slope[0, 0].float()
        back.rest += float(left.float() @ direction) - float(entered.float() @ back.direction)

    @cached_property
    @torch.no_grad()
    def _ways(self) -> list[NormForm | Linear | None]:
        """What each module is; None for what is neither norm nor linear."""
        return [self._way(number) for number in range(len(self._modules))]

    def _way(self, number: int) -> NormForm | Linear | None:
        module = self._modules[number]
        width = self._hidden if number == 0 else self._width(number)
        form = probe(module, width)
        if form is not None:
            return form
        device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
        sample = torch.randn(1, 4, width, generator=torch.Generator().manual_seed(0)).to(device, self._dtype)
        left = module(sample)
        if plain_matrix(module, sample[0], left[0]) is None and not is_affine(module, sample):
            return None
        return Linear(module, width, left.shape[-1])

    def _width(self, number: int) -> int:
        """Channels that enter a module."""
        device = next(self._modules[-1].parameters()).device
        stream = torch.zeros(1, 1, self._hidden, dtype=self._dtype, device=device)
        for module in self._modules[:number]:
            stream = module(stream)
        return stream.shape[-1]
