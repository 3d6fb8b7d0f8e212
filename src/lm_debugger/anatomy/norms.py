"""Finds out by probing whether a module is a norm, and with which weight, bias and centring."""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

PROBES = 64
TOLERANCE = 1e-3  # of the probe; a norm's epsilon on unit-variance input contributes up to 1e-5


class NormForm(NamedTuple):
    """norm(x) = weight · centre(x) / rms(centre(x)) + bias, where centre subtracts the mean for LayerNorm.

    Shapes: weight and bias (hidden,), float32.
    """

    weight: Tensor
    bias: Tensor
    centred: bool

    def linear(self, vectors: Tensor) -> Tensor:
        """The norm's linear part at scale 1 on vectors (…, hidden): centre, then weight. Float32."""
        vectors = vectors.float()
        if self.centred:
            vectors = vectors - vectors.mean(-1, keepdim=True)
        return vectors * self.weight

    def plain(self, vectors: Tensor) -> Tensor:
        """The norm of vectors (…, hidden) without its bias, each at its own scale. Float32."""
        vectors = vectors.float()
        centre = vectors - vectors.mean(-1, keepdim=True) if self.centred else vectors
        return centre * self.weight / centre.pow(2).mean(-1, keepdim=True).sqrt().clamp_min(1e-12)

    def adjoint(self, direction: Tensor) -> Tensor:
        """The transpose of `linear`: the product of linear(v) with a direction (…, hidden) is that of v with this."""
        direction = direction * self.weight
        return direction - direction.mean(-1, keepdim=True) if self.centred else direction

    def scale(self, entered: Tensor, left: Tensor) -> Tensor:
        """The factor that the norm applied to each token, from its input and output (…, hidden). Shape (…, 1)."""
        direction = self.linear(entered)
        moved = left.float() - self.bias
        return (direction * moved).sum(-1, keepdim=True) / (direction * direction).sum(-1, keepdim=True).clamp_min(
            1e-30
        )


def probe(module: nn.Module, hidden: int) -> NormForm | None:
    """The norm that the module computes on a stream of width `hidden`, or None if it is no norm."""
    if any(parameter.dim() > 1 or parameter.device.type == "meta" for parameter in module.parameters()):
        return None
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    exact = copy.deepcopy(module).float()
    x = torch.randn(1, PROBES, hidden, generator=torch.Generator().manual_seed(1)).to(device)
    try:
        with torch.no_grad():
            y, scaled, shifted = exact(x), exact(x * 8), exact(x + 3)
    except Exception:  # noqa: BLE001  # a module that does not take one stream is not a norm of it
        return None
    if not isinstance(y, Tensor) or y.shape != x.shape:
        return None

    def same(a: Tensor, b: Tensor) -> bool:
        return bool((a - b).norm() <= TOLERANCE * b.norm())

    if not same(scaled, y):
        return None
    centred = same(shifted, y)
    centre = x - x.mean(-1, keepdim=True) if centred else x
    unit = (centre / centre.pow(2).mean(-1, keepdim=True).sqrt())[0].double()
    left = y[0].double()
    # One regression left = weight · unit + bias for each channel.
    unit_mean, left_mean = unit.mean(0), left.mean(0)
    weight = ((unit - unit_mean) * (left - left_mean)).sum(0) / (unit - unit_mean).pow(2).sum(0)
    bias = left_mean - weight * unit_mean
    if not same(unit * weight + bias, left):
        return None
    bias = torch.where(bias.abs() < 1e-4, torch.zeros_like(bias), bias)
    return NormForm(weight.float(), bias.float(), centred)
