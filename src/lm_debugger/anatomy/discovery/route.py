"""How what a module gives arrives in a later tensor: a random change is made to it, and the tensor is watched.

A change arrives by a factor (one number; one for each channel; one for each token), or through norms that it reaches by
a factor, or in no simple way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.anatomy.discovery.response import Response, random_change, respond
from lm_debugger.anatomy.discovery.subject import Subject, flat
from lm_debugger.anatomy.norms import NormForm
from lm_debugger.anatomy.parts import Form, Step, Term
from lm_debugger.engine.sites import Side, Site

Norms = Sequence[tuple[Call, NormForm]]


@dataclass(frozen=True)
class Target:
    """A tensor that a contribution may arrive in: a sum of terms."""

    terms: tuple[Term, ...]
    value: Tensor


@dataclass
class Route:
    """How a node arrives at a target: its steps, and the last tensor on the way with the factor it arrives by."""

    steps: tuple[Step, ...]
    final: Call
    factor: Tensor


class Router:
    """Experiments on the ways through one layer. Each node is changed once, however many tensors are watched."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._changes: dict[int, tuple[Tensor, dict[tuple[str, int], Call]]] = {}

    def changed(self, node: Call) -> tuple[Tensor, Mapping[tuple[str, int], Call]]:
        """A random change of what leaves the node, and the calls of the run with it by path and occurrence."""
        if node.start not in self._changes:
            assert node.left is not None
            size = 2 * float(node.left.float().pow(2).mean().sqrt().clamp_min(1e-3))
            change = random_change(node.left.shape, size, seed=node.start)
            calls = self._subject.run(node, change)
            self._changes[node.start] = flat(change), {(c.path, c.occurrence): c for c in calls}
        return self._changes[node.start]

    def respond(self, node: Call, target: Target) -> Response:
        """How a change of what leaves the node arrives in the target."""
        change, calls = self.changed(node)
        after = summed(target.terms, calls)
        if after is None or after.shape != target.value.shape:
            return Response(None, arrives=True)
        return respond(change, target.value, after)

    def route(self, node: Call, target: Target, norms: Norms) -> Route | None:
        """The node's route to the target, or None if it arrives in no simple way or not at all.

        Args:
            norms: the norms that it may pass through.
        """
        response = self.respond(node, target)
        if response.step is not None:
            assert response.factor is not None
            return Route(_shown(response.step), node, response.factor)
        if not response.arrives:
            return None
        for norm, _ in norms:
            if norm.start < node.end:
                continue
            entered = self.respond(node, entering(norm))
            if entered.step is None:
                continue
            rest = self.route(norm, target, norms)
            if rest is not None:
                through = Step(form=Form.NORM, path=norm.path)
                return Route((*_shown(entered.step), through, *rest.steps), rest.final, rest.factor)
        return None


def summed(terms: tuple[Term, ...], calls: Mapping[tuple[str, int], Call]) -> Tensor | None:
    """The sum of terms in a run, or None if one cannot be read in it."""
    total: Tensor | None = None
    for term in terms:
        call = calls.get((term.site.path, term.site.occurrence))
        tensor = None if call is None else call.entered if term.site.side == Side.INPUT else call.left
        if tensor is None:
            return None
        part = flat(tensor)
        if term.factor != (1.0,):
            part = part * part.new_tensor(term.factor)
        if total is not None and total.shape != part.shape:
            return None
        total = part if total is None else total + part
    return total


def entering(call: Call) -> Target:
    """What enters a call, as a target."""
    return Target((Term(site=input_site(call)),), value_of(call, Side.INPUT))


def leaving(call: Call) -> Target:
    """What leaves a call, as a target."""
    return Target((Term(site=output_site(call)),), value_of(call, Side.OUTPUT))


def input_site(call: Call) -> Site:
    """Where what enters the call is read."""
    return Site(path=call.path, side=Side.INPUT, occurrence=call.occurrence)


def output_site(call: Call) -> Site:
    """Where what leaves the call is read."""
    return Site(path=call.path, side=Side.OUTPUT, occurrence=call.occurrence)


def value_of(call: Call, side: Side) -> Tensor:
    """The stream at one end of a call: (tokens, channels)."""
    tensor = call.entered if side is Side.INPUT else call.left
    assert tensor is not None
    return flat(tensor)


def _shown(step: Step) -> tuple[Step, ...]:
    return () if step.form is Form.SCALE and step.factor == (1.0,) else (step,)
