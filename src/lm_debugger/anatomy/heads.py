"""A layer's heads with their weights, and what they write in a captured forward. Arithmetic only; nothing runs.

Head h writes its slice of the output projection's input, times its rows of the projection, through the route:

    contribution of h = route(slice_h · W_O[h])          route is linear at the scale that its norms have for the token
"""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.arrival import Arrival
from lm_debugger.anatomy.linear import Linear
from lm_debugger.anatomy.parts import Anatomy, Form, Heads, Side, Site, Step


class BoundHeads(Arrival):
    """Heads with their output projection.

    Args:
        network: the model.
        anatomy: its anatomy.
        heads: the anatomy's entry of the layer.
    """

    def __init__(self, network: nn.Module, anatomy: Anatomy, heads: Heads) -> None:
        super().__init__(heads.route, network.get_submodule, anatomy.hidden_size)
        self.heads = heads
        module = network.get_submodule(heads.path)
        self.projection = Linear(module, heads.count * heads.width, anatomy.hidden_size)

    def matrix(self, head: int) -> Tensor:
        """One head's rows of the output projection (width, hidden); a view of the weights where possible."""
        return self.projection.matrix[head * self.heads.width : (head + 1) * self.heads.width]

    def matrices(self) -> Tensor:
        """All heads' rows (heads, width, hidden); a view of the weights where possible."""
        return self.projection.matrix.unflatten(0, (self.heads.count, self.heads.width))

    @property
    def summed(self) -> tuple[Step, ...]:
        """The route up to where the mixer's output is added to the stream."""
        steps = self.heads.route
        if not self.heads.post_norm:
            return steps
        return steps[: next(i for i, step in enumerate(steps) if step.path == self.heads.post_norm)]


class HeadStreams:
    """What the heads of one layer write, for the positions of one read-out. Float32.

    Args:
        bound: the heads.
        at: gives the stream at a site, (positions, channels).
        before: gives the stream before the feed-forward.
    """

    def __init__(self, bound: BoundHeads, at: Callable[[Site], Tensor], before: Callable[[], Tensor]) -> None:
        self.bound = bound
        self._at = at
        self._before = before

    @cached_property
    def slices(self) -> Tensor:
        """What each head gives to the output projection: (positions, heads, width)."""
        heads = self.bound.heads
        entered = self._at(Site(path=heads.path, side=Side.INPUT))
        return entered.unflatten(-1, (heads.count, heads.width))

    @cached_property
    def scale(self) -> Tensor:
        """The token-dependent factor of the route (scales of norms): (positions, 1) or ()."""
        factor = self.slices.new_ones(())
        for path in self.bound.norms:
            factor = factor * self._norm_scale(path)
        return factor

    def contributions(self) -> Tensor:
        """What each head adds to the stream before the feed-forward: (positions, heads, hidden)."""
        written = torch.einsum("phw,hwd->phd", self.slices, self.bound.matrices().float())
        return self.bound.static(written) * (self.scale[:, None] if self.scale.dim() else self.scale)

    @cached_property
    def bias(self) -> Tensor:
        """What the mixer adds beside its heads: biases of the projection and of norms on the way, (positions, hidden).

        The bias of a norm that takes the sum of stream and mixer is not the mixer's.
        """
        bias = self.bound.projection.bias.float()
        return self._follow(bias.expand(len(self.slices), -1), self.bound.route)

    @cached_property
    def output(self) -> Tensor:
        """What the output projection gives, as the sum of its heads and bias: (positions, hidden)."""
        return self.slices.flatten(1) @ self.bound.projection.matrix.float() + self.bound.projection.bias.float()

    @cached_property
    def contribution(self) -> Tensor:
        """What the mixer adds to the stream before the feed-forward, biases included: (positions, hidden)."""
        return self._follow(self.output, self.bound.route)

    @cached_property
    def added(self) -> Tensor:
        """What the mixer adds to the sum with the stream; differs from `contribution` if a norm takes that sum."""
        return self._follow(self.output, self.bound.summed)

    @cached_property
    def total(self) -> Tensor:
        """The sum of stream and mixer, as the model computed it: (positions, hidden)."""
        heads = self.bound.heads
        if heads.post_norm:
            return self._at(Site(path=heads.post_norm, side=Side.INPUT))
        return self._before() if heads.arrives is None else self._at(heads.arrives)

    @cached_property
    def rest(self) -> Tensor | None:
        """What the sum has beside what the mixer adds, or None where that is not known: (positions, hidden)."""
        terms = self.bound.heads.rest
        if not terms:
            return None
        return torch.stack([self._at(term.site) * self.slices.new_tensor(term.factor) for term in terms]).sum(0)

    def _follow(self, stream: Tensor, steps: tuple[Step, ...]) -> Tensor:
        """A stream (positions, hidden) through steps of the route, with the biases of norms on the mixer's own way."""
        for step in steps:
            if step.form is Form.NORM:
                norm = self.bound.norms[step.path]
                stream = norm.linear(stream) * self._norm_scale(step.path)
                if step.path != self.bound.heads.post_norm:
                    stream = stream + norm.bias
            else:
                stream = stream * stream.new_tensor(step.factor)
        return stream

    def _norm_scale(self, path: str) -> Tensor:
        left = self._at(Site(path=path, side=Side.OUTPUT))
        return self.bound.norms[path].scale(self._at(Site(path=path, side=Side.INPUT)), left)
