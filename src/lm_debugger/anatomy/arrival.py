"""The way of a contribution to the residual stream, as linear algebra on vectors. Nothing runs the model."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Form, Step


class Arrival:
    """How what a module gives arrives in the residual stream: vectors through its route, and directions back.

    Args:
        route: the way, from the anatomy.
        module: gives the modules of norms on the route, by path.
        hidden: width of the residual stream.
    """

    def __init__(self, route: tuple[Step, ...], module: Callable[[str], nn.Module], hidden: int) -> None:
        self.route = route
        self._module = module
        self._hidden = hidden

    @cached_property
    def norms(self) -> dict[str, NormForm]:
        """The norms on the route, by path."""
        found = {}
        for step in self.route:
            if step.form is Form.NORM:
                form = probe(self._module(step.path), self._hidden)
                assert form is not None  # examine found it to be one
                found[step.path] = form
        return found

    def static(self, vectors: Tensor) -> Tensor:
        """Vectors (…, hidden) as they arrive in the residual stream, but for factors that depend on the token."""
        for step in self.route:
            if step.form is Form.NORM:
                vectors = self.norms[step.path].linear(vectors)
            elif step.factor:
                vectors = vectors.float() * torch.tensor(step.factor, device=vectors.device)
        return vectors.float()

    def adjoint(self, directions: Tensor) -> Tensor:
        """The transpose of `static`: the product of static(v) with a direction (…, hidden) is that of v with this."""
        for step in reversed(self.route):
            if step.form is Form.NORM:
                directions = self.norms[step.path].adjoint(directions)
            elif step.factor:
                directions = directions * torch.tensor(step.factor, device=directions.device)
        return directions
