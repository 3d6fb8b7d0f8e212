"""Finds the heads of a layer's token mixer, by experiment.

1. The **output projection** is the mixer's last linear map whose output arrives in the stream before the feed-forward
   by a factor or through norms: its route.
2. Its input splits into heads if `split` proves it for a number that the configuration proposes. Where a norm over all
   heads comes last in the mixer, what enters the norm is split: the norm ties heads only by its scale.
3. What the stream before holds beside the mixer's output is explained as a sum of other streams.
4. `values` finds the linear maps by which the heads read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lm_debugger.anatomy.discovery.fit import EXACT, explain, relative
from lm_debugger.anatomy.discovery.layer import LayerExperiment
from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.anatomy.discovery.route import (
    Norms,
    Route,
    Target,
    summed,
    value_of,
)
from lm_debugger.anatomy.discovery.split import Split
from lm_debugger.anatomy.discovery.subject import flat
from lm_debugger.anatomy.discovery.values import find_values, norm_giving
from lm_debugger.anatomy.norms import probe
from lm_debugger.anatomy.parts import Form, Group, Heads, LayerAnatomy, Step, Term
from lm_debugger.engine.sites import Side, Site

SOME = 1e-3  # relative: a norm's input has more in it than the mixer's output


@dataclass(frozen=True)
class Projection:
    """An output projection: its call, the call of its mixer, and its route to a target."""

    call: Call
    mixer: Call
    route: Route
    target: Target


class HeadExperiment:
    """The experiments on one layer's mixers.

    Args:
        layer: the layer's experiment.
        anatomy: what it found, with paths below the layer.
        counts: numbers of heads that the configuration proposes, likely ones first.
    """

    def __init__(self, layer: LayerExperiment, anatomy: LayerAnatomy, counts: tuple[int, ...]) -> None:
        self._layer = layer
        self._anatomy = anatomy
        self._counts = counts
        self._mixers = [*layer.parts.mixers, *layer.opened]
        self._calls = {(call.path, call.occurrence): call for call in layer.subject.calls}

    def find(self) -> tuple[Heads | None, str]:
        """The heads, or None and why there are none."""
        mixers = self._mixers
        if not mixers:
            return None, "the layer has no token mixer"
        projections = self.projections()
        if not projections:
            names = ", ".join(dict.fromkeys(type(mixer.module).__name__ for mixer in mixers))
            return None, f"no linear map of the token mixer ({names}) writes to the residual stream in a simple way"
        why = ""
        for projection in projections:
            count, failure = self._count(projection)
            if count:
                return self._described(projection, count), ""
            mixer = type(projection.mixer.module).__name__
            why = why or f"what enters {projection.call.path} of the token mixer ({mixer}) {failure}"
        return None, why

    # 1.: the output projection

    @cached_property
    def _before(self) -> Target | None:
        """The stream before the feed-forward, as a sum that can be read in any run; None where a gate hides it."""
        terms = self._anatomy.before
        if not terms:
            arriving = {_final(group): _tail(group) for group in self._anatomy.groups}
            if any(step.form is Form.TOKEN for tail in arriving.values() for step in tail):
                return None
            taken = [Term(site=site, factor=_negative(tail)) for site, tail in arriving.items()]
            terms = (Term(site=self._anatomy.total), *taken)
        value = summed(terms, self._calls)
        return None if value is None else Target(terms, value)

    def projections(self) -> list[Projection]:
        """The output projections, the last in the layer first."""
        found = list(self._writing_to(self._before)) if self._before is not None else []
        if not found:
            # Where the feed-forward cannot be told apart, the stream before it is not known either.
            inner = ([*self._writing_to(target)] for target in self._layer.inner_targets())
            found = next((those for those in inner if those), [])
        return found

    def _writing_to(self, target: Target) -> Iterator[Projection]:
        """Linear maps of the mixers that write to a stream, the last first."""
        written = {group.path for group in self._anatomy.groups}
        for call in reversed(self._layer.subject.calls):
            if call.path in written or not self._layer.is_stream(call.left) or not self._layer.is_linear(call):
                continue
            mixer = self._mixer(call)
            if mixer is None:
                continue
            route = self._layer.router.route(call, target, self._norms_after(call))
            # A gate's factor could not be told apart from what the heads write.
            if route is not None and not any(step.form is Form.TOKEN for step in route.steps):
                yield Projection(call, mixer, route, target)

    def _mixer(self, call: Call) -> Call | None:
        """The mixer that the call belongs to: the smallest around it, or the one whose output enters it."""
        around = [mixer for mixer in self._mixers if mixer.encloses(call)]
        if around:
            return max(around, key=lambda mixer: mixer.start)
        entered = value_of(call, Side.INPUT)
        for mixer in self._mixers:
            if mixer.left is not None and mixer.end < call.start and mixer.left.numel() == entered.numel():
                left = flat(mixer.left)
                if left.shape == entered.shape and relative(left - entered, entered) < EXACT:
                    return mixer
        return None

    def _norms_after(self, call: Call) -> Norms:
        """Norms of the stream that may come after the call, those inside the mixers included."""
        found = []
        for norm in self._layer.subject.calls:
            if norm.start > call.end and self._layer.is_stream(norm.entered) and self._layer.is_stream(norm.left):
                form = probe(norm.module, self._layer.hidden)
                if form is not None:
                    found.append((norm, form))
        return found

    # 2.: the heads

    def _count(self, projection: Projection) -> tuple[int, str]:
        """Number of heads, or 0 and why."""
        last = projection.call
        norm = norm_giving(value_of(last, Side.INPUT), self._inside(projection))
        for call in (last,) if norm is None else (last, norm[0]):
            try:
                split = Split(self._layer.subject, call, [c for c in self.maps(projection) if c.end < call.start])
                count = split.heads(self._counts)
            except RuntimeError as failure:  # torch raises it where no derivative can be taken
                return 0, f"could not be differentiated ({str(failure).splitlines()[0]})"
            if count:
                return count, ""
        return 0, f"does not split into heads ({_either(self._counts)} were tried)"

    def maps(self, projection: Projection) -> list[Call]:
        """Calls with weights of their own inside the mixer, before the projection."""
        inside = self._inside(projection)
        return [c for c in inside if c.left is not None and next(c.module.parameters(), None) is not None]

    def _inside(self, projection: Projection) -> list[Call]:
        """The innermost calls in the mixer that ended before the projection began."""
        calls = self._layer.subject.calls
        inside = [c for c in calls if projection.mixer.encloses(c) and c.end < projection.call.start]
        return [c for c in inside if not any(c.encloses(other) for other in inside)]

    # 3. and 4.: what is beside them, what they read

    def _described(self, projection: Projection, count: int) -> Heads:
        post_norm, rest = self._rest(projection)
        entered = value_of(projection.call, Side.INPUT)
        linears = [c for c in self.maps(projection) if self._layer.is_linear(c)]
        values, opaque = find_values(
            flat(self._layer.subject.stream),
            entered[0].view(count, -1),
            linears,
            [c for c in self._layer.subject.calls if c.end < projection.call.start],
        )
        return Heads(
            path=projection.call.path,
            count=count,
            width=entered.shape[-1] // count,
            route=projection.route.steps,
            arrives=None if projection.target is self._before else projection.target.terms[0].site,
            post_norm=post_norm,
            rest=rest,
            values=values,
            opaque=opaque,
        )

    def _rest(self, projection: Projection) -> tuple[str, tuple[Term, ...]]:
        """The norm that takes the sum of stream and mixer ("" if the sum is the stream before), and its other terms."""
        arrived = value_of(projection.call, Side.OUTPUT)
        for step in projection.route.steps:
            if step.form is Form.NORM:
                norm = self._calls[step.path, 0]
                entered = value_of(norm, Side.INPUT)
                if relative(entered - arrived, entered) > SOME:
                    return step.path, self._explained(projection, entered - arrived)
                arrived = value_of(norm, Side.OUTPUT)
            elif step.factor:
                arrived = arrived * arrived.new_tensor(step.factor)
        last = value_of(projection.route.final, Side.OUTPUT)
        return "", self._explained(projection, projection.target.value - (last * projection.route.factor).float())

    def _explained(self, projection: Projection, rest: Tensor) -> tuple[Term, ...]:
        """A stream as a sum of those that the projection does not reach; empty where it is none."""
        candidates = self._layer.base_candidates([projection.call])
        found = explain(rest, [value for _, _, value in candidates])
        return tuple(Term(site=candidates[i][0], factor=factor) for i, factor in found.terms) if found else ()


def _final(group: Group) -> Site:
    """The last tensor on a group's route that some module gave."""
    norms = [step.path for step in group.route if step.form is Form.NORM]
    return Site(path=norms[-1] if norms else group.path, side=Side.OUTPUT)


def _tail(group: Group) -> tuple[Step, ...]:
    """The steps of a group's route after that tensor."""
    last = max((index for index, step in enumerate(group.route) if step.form is Form.NORM), default=-1)
    return group.route[last + 1 :]


def _negative(tail: tuple[Step, ...]) -> tuple[float, ...]:
    """Minus the product of the steps' factors."""
    product = torch.tensor((-1.0,))
    for step in tail:
        product = product * torch.tensor(step.factor)
    return tuple(product.tolist())


def _either(counts: tuple[int, ...]) -> str:
    """Numbers in words."""
    return " and ".join(map(str, counts)) or "no numbers"
