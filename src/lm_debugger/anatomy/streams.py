"""The parts of one captured forward in the terms of `anatomy`: before, after, contributions, coefficients.

Everything here is arithmetic on a `Capture`; nothing runs the model.
"""

from functools import cached_property

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.arrival import Arrival
from lm_debugger.anatomy.heads import BoundHeads, HeadStreams
from lm_debugger.anatomy.linear import Experts, Linear
from lm_debugger.anatomy.parts import Anatomy, Form, Group, LayerAnatomy, Side, Site, Step
from lm_debugger.engine.capture import Capture


class BoundGroup(Arrival):
    """A group with its module: where the value vectors are.

    Attributes:
        group: the anatomy's entry.
        first: number of the group's first dimension in the layer (dense groups are numbered on).
        linear, experts: the weights, one of the two.
        norms: the norms on the group's route, by path.
    """

    def __init__(self, network: nn.Module, anatomy: Anatomy, group: Group, first: int) -> None:
        super().__init__(group.route, network.get_submodule, anatomy.hidden_size)
        self.group = group
        module = network.get_submodule(group.path)
        self.first = first
        self.linear = None if group.experts else Linear(module, group.width, anatomy.hidden_size)
        self.experts = Experts(module) if group.experts else None

    def matrix(self, expert: int | None) -> Tensor:
        """Value vectors (width, hidden) of the group or of one expert; a view of the weights where possible."""
        if self.experts is not None:
            assert expert is not None
            return self.experts.matrix(expert)
        assert self.linear is not None
        return self.linear.matrix

    def along(self, direction: Tensor, indices: Tensor) -> Tensor:
        """Products of a dense group's value vectors, as `static` gives them, with a direction (hidden,): (indices,).

        One product with the whole matrix: picking single columns of it out of memory takes several times as long.
        """
        matrix = self.matrix(None)
        if matrix.dtype != torch.float32:
            return self.static(matrix[indices]) @ direction
        direction = self.adjoint(direction)
        return (matrix @ direction)[indices]


class BoundLayer:
    """A layer of the anatomy with its modules."""

    def __init__(self, network: nn.Module, anatomy: Anatomy, index: int) -> None:
        self.index = index
        self.anatomy: LayerAnatomy = anatomy.layers[index]
        self.groups: list[BoundGroup] = []
        first = 0
        for group in self.anatomy.groups:
            self.groups.append(BoundGroup(network, anatomy, group, 0 if group.experts else first))
            first += 0 if group.experts else group.width
        heads = self.anatomy.heads
        self.heads: BoundHeads | None = None if heads is None else BoundHeads(network, anatomy, heads)


class LayerStreams:
    """One layer of a captured forward.

    Every result is float32 of shape (positions, …) for one row of the batch.

    Args:
        layer: the layer.
        capture: the forward.
        row: row of the batch.
        positions: which positions, as a slice.
    """

    def __init__(self, layer: BoundLayer, capture: Capture, row: int, positions: slice) -> None:
        self.layer = layer
        self._capture = capture
        self._row = row
        self._positions = positions

    def at(self, site: Site) -> Tensor:
        """The stream at a site: (positions, channels)."""
        return self._capture.streams[site][self._row, self._positions].float()

    @cached_property
    def pre(self) -> Tensor:
        """The residual stream that enters the layer."""
        return self.at(Site(path=self.layer.anatomy.path, side=Side.INPUT))

    @cached_property
    def total(self) -> Tensor:
        """Stream before + contribution, as the model computed it."""
        return self.at(self.layer.anatomy.total)

    @cached_property
    def after(self) -> Tensor:
        """The residual stream that leaves the layer."""
        return self.at(self.layer.anatomy.after)

    @cached_property
    def before(self) -> Tensor:
        """The stream that the feed-forward's contribution is added to."""
        terms = self.layer.anatomy.before
        if not terms:
            return self.total - self.contribution if self.layer.groups else self.total
        parts = [self.at(t.site) if t.factor == (1.0,) else _times(self.at(t.site), t.factor) for t in terms]
        return parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)

    @cached_property
    def attention(self) -> Tensor:
        """What the token mixer adds: the stream before the feed-forward minus the one that enters the layer."""
        return self.before - self.pre

    @cached_property
    def contribution(self) -> Tensor:
        """What the feed-forward adds to the stream before: all groups' outputs at the end of their routes."""
        arriving = {self._final(b).path: b for b in self.layer.groups}
        parts = [self._arrived(bound) * self._token_factor(bound) for bound in arriving.values()]
        return parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)

    @cached_property
    def heads(self) -> HeadStreams | None:
        """What the layer's heads write, or None for a layer without heads."""
        return None if self.layer.heads is None else HeadStreams(self.layer.heads, self.at, lambda: self.before)

    def output(self, bound: BoundGroup) -> Tensor:
        """The group's own output, before its route: (positions, hidden)."""
        return self.at(Site(path=bound.group.path, side=Side.OUTPUT))

    def _final(self, bound: BoundGroup) -> Site:
        """The last tensor on the group's route that some module gave."""
        norms = [step.path for step in bound.group.route if step.form is Form.NORM]
        return Site(path=norms[-1] if norms else bound.group.path, side=Side.OUTPUT)

    def _tail(self, bound: BoundGroup) -> list[Step]:
        """The route's steps after that tensor."""
        steps = list(bound.group.route)
        norms = [index for index, step in enumerate(steps) if step.form is Form.NORM]
        return steps[norms[-1] + 1 :] if norms else steps

    def _arrived(self, bound: BoundGroup) -> Tensor:
        stream = self.at(self._final(bound))
        for step in self._tail(bound):
            stream = _times(stream, step.factor) if step.factor else stream
        return stream

    @cached_property
    def _token_factors(self) -> dict[str, Tensor]:
        """Gates: what remains of the sum, as multiples of the gated groups' outputs; (positions, 1) each."""
        gated = [b for b in self.layer.groups if any(s.form is Form.TOKEN for s in self._tail(b))]
        if not gated:
            return {}
        plain = {self._final(b).path: b for b in self.layer.groups if b not in gated}
        rest = self.total - self.before
        for bound in plain.values():
            rest = rest - self._arrived(bound)
        columns = torch.stack([self._arrived(bound) for bound in gated], -1)  # (positions, hidden, groups)
        factors = torch.linalg.lstsq(columns, rest[..., None]).solution  # (positions, groups, 1)
        return {bound.group.path: factors[:, index] for index, bound in enumerate(gated)}

    def _token_factor(self, bound: BoundGroup) -> Tensor:
        return self._token_factors.get(bound.group.path, self.total.new_ones(()))

    def scale(self, bound: BoundGroup) -> Tensor:
        """The token-dependent factor of the group's route (norm scales and gates): (positions, 1) or ()."""
        factor = self._token_factor(bound)
        for path, form in bound.norms.items():
            entered = self.at(Site(path=path, side=Side.INPUT))
            factor = factor * form.scale(entered, self.at(Site(path=path, side=Side.OUTPUT)))
        return factor

    def coefficients(self, bound: BoundGroup) -> Tensor:
        """A dense group's coefficients (positions, width)."""
        return self.at(Site(path=bound.group.path, side=Side.INPUT))

    def routed(self) -> tuple[Tensor, Tensor, Tensor]:
        """A mixture's experts (positions, K), their coefficients (positions, K, width) and router weights."""
        kept = self._capture.routed[self.layer.index]
        rows = next(iter(self._capture.streams.values())).shape[0]

        def mine(value: Tensor) -> Tensor:
            return value.view(rows, -1, *value.shape[1:])[self._row, self._positions]

        return mine(kept.index), mine(kept.coefficient).float(), mine(kept.weight).float()


def _times(stream: Tensor, factor: tuple[float, ...]) -> Tensor:
    return stream * (factor[0] if len(factor) == 1 else torch.tensor(factor, device=stream.device))
