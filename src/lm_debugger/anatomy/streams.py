"""The parts of one captured forward in the terms of `parts`: before, after, contributions.

Everything here is arithmetic on a `Capture`; nothing runs the model. What lies inside a group (coefficients) is the
business of its kind of unit.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Form, LayerAnatomy, Step
from lm_debugger.engine.sites import Capture, Side, Site


class Arrival:
    """How what a module gives arrives in the residual stream.

    Args:
        path: the module.
        route: what its output passes through.
        module: gives the modules of norms on the route, by path.
        hidden: width of the residual stream.
    """

    def __init__(self, path: str, route: tuple[Step, ...], module: Callable[[str], nn.Module], hidden: int) -> None:
        self.path = path
        self.route = route
        self._module = module
        self._hidden = hidden

    @property
    def sites(self) -> tuple[Site, ...]:
        """What has to be captured to follow the module's output into the stream."""
        norms = [step.path for step in self.route if step.path]
        through = [Site(path=path, side=side) for path in norms for side in (Side.INPUT, Side.OUTPUT)]
        return (Site(path=self.path, side=Side.OUTPUT), *through)

    @cached_property
    def norms(self) -> dict[str, NormForm]:
        """The norms that the output passes through, by path."""
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


class Layer(Protocol):
    """A layer with the groups that write its residual stream."""

    index: int
    anatomy: LayerAnatomy

    @property
    def groups(self) -> Sequence[Arrival]:
        """The feed-forward's groups."""


class LayerStreams:
    """One layer of a captured forward.

    Every result is float32 of shape (positions, …).

    Args:
        layer: the layer.
        capture: what the run left.
        positions: which positions, as a slice.
    """

    def __init__(self, layer: Layer, capture: Capture, positions: slice) -> None:
        self.layer = layer
        self._capture = capture
        self._positions = positions

    def raw(self, site: Site) -> Tensor:
        """What was captured at a site, as it is: (positions, …)."""
        return self._capture[site][self._positions]

    def at(self, site: Site) -> Tensor:
        """The stream at a site: (positions, …), float32."""
        return self.raw(site).float()

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

    def output(self, bound: Arrival) -> Tensor:
        """The group's own output, before its route: (positions, hidden)."""
        return self.at(Site(path=bound.path, side=Side.OUTPUT))

    def _final(self, bound: Arrival) -> Site:
        """The last tensor on the group's route that some module gave."""
        norms = [step.path for step in bound.route if step.form is Form.NORM]
        return Site(path=norms[-1] if norms else bound.path, side=Side.OUTPUT)

    def _tail(self, bound: Arrival) -> list[Step]:
        """The route's steps after that tensor."""
        steps = list(bound.route)
        norms = [index for index, step in enumerate(steps) if step.form is Form.NORM]
        return steps[norms[-1] + 1 :] if norms else steps

    def _arrived(self, bound: Arrival) -> Tensor:
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
        return {bound.path: factors[:, index] for index, bound in enumerate(gated)}

    def _token_factor(self, bound: Arrival) -> Tensor:
        return self._token_factors.get(bound.path, self.total.new_ones(()))

    def scale(self, bound: Arrival) -> Tensor:
        """The token-dependent factor of the group's route (norm scales and gates): (positions, 1) or ()."""
        factor = self._token_factor(bound)
        for path, form in bound.norms.items():
            entered = self.at(Site(path=path, side=Side.INPUT))
            factor = factor * form.scale(entered, self.at(Site(path=path, side=Side.OUTPUT)))
        return factor


def _times(stream: Tensor, factor: tuple[float, ...]) -> Tensor:
    return stream * (factor[0] if len(factor) == 1 else torch.tensor(factor, device=stream.device))
