"""What the heads of a layer write in a captured forward. Arithmetic only; nothing runs.

    contribution of head h = route(slice_h · W_O[h])

where a norm on the route is linear at the scale that it has for the token. The contributions of all heads and of the
biases add up to what the token mixer adds to the stream before the feed-forward.
"""

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.parts import Form, Step
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.sites import Side, Site
from lm_debugger.records.names import HeadName
from lm_debugger.units.heads.group import HeadGroup


class Written(NamedTuple):
    """What one head adds to the residual stream at one position; see `records.trace.HeadUpdate` for the terms."""

    name: HeadName
    norm: float
    share: float
    vector: Tensor


class HeadStreams:
    """What the heads of one layer write, for the positions of one read-out. Float32.

    Args:
        group: the heads.
        streams: the layer's streams.
    """

    def __init__(self, group: HeadGroup, streams: LayerStreams) -> None:
        self.group = group
        self._streams = streams

    @cached_property
    def slices(self) -> Tensor:
        """What each head gives to the output projection: (positions, heads, width)."""
        heads = self.group.heads
        entered = self._streams.at(self.group.slices_site)
        return entered.view(len(entered), heads.count, heads.width)

    @cached_property
    def scale(self) -> Tensor:
        """The token-dependent factor of the route (scales of norms): (positions, 1) or ()."""
        factor = self.slices.new_ones(())
        for path in self.group.norms:
            factor = factor * self.norm_scale(path)
        return factor

    def contributions(self) -> Tensor:
        """What each head adds to the stream before the feed-forward: (positions, heads, hidden)."""
        matrices = self.group.projection.matrix.float().reshape(*self.slices.shape[1:], -1)
        written = torch.einsum("phw,hwd->phd", self.slices, matrices)
        return self.group.static(written) * (self.scale[:, None] if self.scale.dim() else self.scale)

    @cached_property
    def bias(self) -> Tensor:
        """What the mixer adds beside its heads: biases of the projection and of norms on the way, (positions, hidden).

        The bias of a norm that takes the sum of stream and mixer is not the mixer's.
        """
        bias = self.group.projection.bias.float()
        return self._follow(bias.expand(len(self.slices), -1), self.group.route)

    @cached_property
    def output(self) -> Tensor:
        """What the output projection gives, as the sum of its heads and bias: (positions, hidden)."""
        projection = self.group.projection
        return self.slices.flatten(1) @ projection.matrix.float() + projection.bias.float()

    @cached_property
    def contribution(self) -> Tensor:
        """What the mixer adds to the stream before the feed-forward, biases included: (positions, hidden)."""
        return self._follow(self.output, self.group.route)

    @cached_property
    def added(self) -> Tensor:
        """What the mixer adds to the sum with the stream; differs from `contribution` if a norm takes that sum."""
        return self._follow(self.output, self.group.summed)

    @cached_property
    def total(self) -> Tensor:
        """The sum of stream and mixer, as the model computed it: (positions, hidden)."""
        heads = self.group.heads
        if heads.post_norm:
            return self._streams.at(Site(path=heads.post_norm, side=Side.INPUT))
        return self._streams.before if heads.arrives is None else self._streams.at(heads.arrives)

    @cached_property
    def rest(self) -> Tensor | None:
        """What the sum has beside what the mixer adds, or None where that is not known: (positions, hidden)."""
        terms = self.group.heads.rest
        if not terms:
            return None
        parts = [self._streams.at(term.site) * self.slices.new_tensor(term.factor) for term in terms]
        return torch.stack(parts).sum(0)

    def strongest(self, count: int) -> list[Written]:
        """The heads that write most at a single position, the longest contribution first."""
        vectors = self.contributions()[0]  # (heads, hidden)
        whole = vectors.sum(0).double() + self.bias[0].double()
        shares = (vectors.double() @ whole / (whole @ whole).clamp_min(1e-30)).tolist()
        norms = vectors.norm(dim=-1).tolist()
        best = sorted(range(len(norms)), key=norms.__getitem__, reverse=True)[:count]
        layer, each = self.group.layer, vectors.unbind()
        return [Written(HeadName(layer, head), norms[head], shares[head], each[head]) for head in best]

    def _follow(self, stream: Tensor, steps: tuple[Step, ...]) -> Tensor:
        """A stream (positions, hidden) through steps of the route, with the biases of norms on the mixer's own way."""
        for step in steps:
            if step.form is Form.NORM:
                norm = self.group.norms[step.path]
                stream = norm.linear(stream) * self.norm_scale(step.path)
                if step.path != self.group.heads.post_norm:
                    stream = stream + norm.bias
            else:
                stream = stream * stream.new_tensor(step.factor)
        return stream

    def norm_scale(self, path: str) -> Tensor:
        """The factor that a norm on the route has for each token: (positions, 1)."""
        entered, left = (self._streams.at(Site(path=path, side=side)) for side in (Side.INPUT, Side.OUTPUT))
        return self.group.norms[path].scale(entered, left)
