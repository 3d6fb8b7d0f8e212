"""How a later tensor responds to a change of an earlier one: not at all, by a factor, or in no simple way."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.anatomy.discovery.fit import EXACT, relative
from lm_debugger.anatomy.parts import Form, Step

SILENT = 1e-6  # of the changed tensor: float32 noise of an unrelated recomputation
TOLERANCE = 20 * EXACT  # differences of two runs carry the noise of both


@dataclass(frozen=True)
class Response:
    """The factor that a change arrives with, as a route step and as a tensor, or None when there is no such factor."""

    step: Step | None
    arrives: bool
    factor: Tensor | None = None


def respond(change: Tensor, before: Tensor, after: Tensor) -> Response:
    """Compare a change (tokens, hidden) made to one tensor with what it did to another, before and after.

    The change should be large (well above the noise) and random.
    """
    seen = (after - before).double()
    made = change.double()
    if float(seen.norm()) <= SILENT * max(float(before.double().norm()), float(made.norm())):
        return Response(None, arrives=False)
    if seen.shape != made.shape:
        return Response(None, arrives=True)
    product, power = made * seen, made * made
    scalar = product.sum() / power.sum()
    if relative(seen - scalar * made, seen) <= TOLERANCE:
        return Response(Step(form=Form.SCALE, factor=(_snap(float(scalar)),)), arrives=True, factor=scalar)
    channel = product.sum(0) / power.sum(0)
    if relative(seen - channel * made, seen) <= TOLERANCE:
        return Response(Step(form=Form.CHANNEL, factor=tuple(channel.tolist())), arrives=True, factor=channel)
    token = product.sum(1, keepdim=True) / power.sum(1, keepdim=True)
    if relative(seen - token * made, seen) <= TOLERANCE:
        return Response(Step(form=Form.TOKEN), arrives=True, factor=token)
    return Response(None, arrives=True)


def random_change(shape: torch.Size, size: float, seed: int) -> Tensor:
    """A random tensor of the shape whose entries have standard deviation `size`."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * size


def _snap(factor: float) -> float:
    return float(round(factor)) if abs(factor - round(factor)) < 1e-4 and round(factor) != 0 else factor
