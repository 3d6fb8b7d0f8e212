"""Finds the anatomy of one layer, by experiment on a float32 copy of it.

1. Split the layer's calls into token mixers (attention and the like) and the rest.
2. In the rest, writers are linear maps and packed experts that give a stream of the layer's width.
3. Change what a writer gives and see how the change arrives at the layer's output: by a factor, or through a norm that
   it reaches by a factor. That is the writer's route; a writer without one does not count.
4. What the output has beside the writers' contributions is the stream **before**: find where it can be read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lm_debugger.anatomy.discovery.fit import EXACT, explain, relative
from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.anatomy.discovery.response import Response, random_change, respond
from lm_debugger.anatomy.discovery.subject import Subject, flat
from lm_debugger.anatomy.linear import Experts, is_affine, is_experts, plain_matrix
from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Form, Group, LayerAnatomy, Step, Term
from lm_debugger.engine.sites import Side, Site

MOST_CANDIDATES = 12


@dataclass(frozen=True)
class Target:
    """A tensor that a writer's contribution may arrive in."""

    site: Site
    value: Tensor


@dataclass
class Route:
    """How a node arrives at a target: its steps, and the last tensor on the way with the factor it arrives by."""

    steps: tuple[Step, ...]
    final: Call
    factor: Tensor


@dataclass
class Parts:
    """A layer's calls, sorted by what they are."""

    mixers: list[Call] = field(default_factory=list)
    rest: list[Call] = field(default_factory=list)
    norms: list[tuple[Call, NormForm]] = field(default_factory=list)
    writers: list[Call] = field(default_factory=list)


class LayerExperiment:
    """The experiments on one layer."""

    def __init__(self, call: Call, length: int) -> None:
        self.subject = Subject(call, length)
        self.root = self.subject.calls[0]
        assert self.root.left is not None
        self.hidden = self.root.left.shape[-1]
        self.tokens = flat(self.root.left).shape[0]
        self._opened: list[Call] = []
        self.parts = self._sort()
        self._changes: dict[int, tuple[Tensor, dict[tuple[str, int], Call]]] = {}

    # 1. and 2.: what the calls are

    def _sort(self) -> Parts:
        opened: set[int] = set()
        while True:
            parts = Parts()
            self._split(self.root, opened, parts)
            parts.norms = list(self._norms(parts.rest))
            parts.writers = list(self._writers(parts))
            more = {m.start for m in parts.mixers if self._has_inner_mixer(m)} - opened
            if parts.writers or not more:
                return parts
            self._opened += [m for m in parts.mixers if m.start in more]
            opened |= more

    def _children(self, call: Call) -> list[Call]:
        inside = [other for other in self.subject.calls if call.encloses(other)]
        return [c for c in inside if not any(other.encloses(c) for other in inside)]

    def _split(self, call: Call, opened: set[int], parts: Parts) -> None:
        for child in self._children(call):
            if child.start in opened:
                self._split(child, opened, parts)
            elif self.subject.mixes(child):
                parts.mixers.append(child)
            else:
                parts.rest.append(child)
                parts.rest += [other for other in self.subject.calls if child.encloses(other)]

    def _has_inner_mixer(self, mixer: Call) -> bool:
        """Whether a mixer is a wrapper around a smaller mixer with matrices of its own."""
        return any(
            any(p.dim() == 2 for p in child.module.parameters()) and self.subject.mixes(child)
            for child in self._children(mixer)
        )

    def _stream(self, tensor: Tensor | None) -> bool:
        return tensor is not None and tensor.shape[-1] == self.hidden and tensor.numel() == self.tokens * self.hidden

    def _norms(self, calls: list[Call]) -> Iterator[tuple[Call, NormForm]]:
        for call in calls:
            if self._stream(call.entered) and self._stream(call.left):
                form = probe(call.module, self.hidden)
                if form is not None:
                    yield call, form

    def _writers(self, parts: Parts) -> Iterator[Call]:
        mixed = [flat(m.left) for m in (*parts.mixers, *self._opened) if m.left is not None]
        found: list[Call] = []
        for call in parts.rest:
            if not self._stream(call.left) or call.entered is None or any(w.encloses(call) for w in found):
                continue
            if not self._is_writer(call):
                continue
            entered = flat(call.entered)
            if any(entered.shape == other.shape and relative(entered - other, other) < EXACT for other in mixed):
                continue  # the mixer's own output projection
            found.append(call)
            yield call

    def _is_writer(self, call: Call) -> bool:
        if is_experts(call.module):
            return True
        assert call.entered is not None
        assert call.left is not None
        if call.entered.numel() // call.entered.shape[-1] != self.tokens:
            return False
        return plain_matrix(call.module, flat(call.entered), flat(call.left)) is not None or (
            not isinstance(call.module, torch.nn.Embedding) and is_affine(call.module, call.entered)
        )

    # 3.: routes

    def _changed(self, node: Call) -> tuple[Tensor, dict[tuple[str, int], Call]]:
        """A random change of what leaves the node, and the calls of the run with it."""
        if node.start not in self._changes:
            assert node.left is not None
            size = 2 * float(node.left.float().pow(2).mean().sqrt().clamp_min(1e-3))
            change = random_change(node.left.shape, size, seed=node.start)
            calls = self.subject.run(node, change)
            self._changes[node.start] = flat(change), {(c.path, c.occurrence): c for c in calls}
        return self._changes[node.start]

    def _respond(self, node: Call, site: Site, value: Tensor) -> Response:
        change, calls = self._changed(node)
        call = calls.get((site.path, site.occurrence))
        after = None if call is None else call.entered if site.side == Side.INPUT else call.left
        if after is None or flat(after).shape != value.shape:
            return Response(None, arrives=True)
        return respond(change, value, flat(after))

    def route(self, node: Call, target: Target) -> Route | None:
        """The node's route to the target, or None if it arrives in no simple way or not at all."""
        response = self._respond(node, target.site, target.value)
        if response.step is not None:
            assert response.factor is not None
            return Route(_shown(response.step), node, response.factor)
        if not response.arrives:
            return None
        for norm, _ in self.parts.norms:
            if norm.start < node.end:
                continue
            entered = self._respond(node, _input(norm), _value(norm, Side.INPUT))
            if entered.step is None:
                continue
            rest = self.route(norm, target)
            if rest is not None:
                through = Step(form=Form.NORM, path=norm.path)
                return Route((*_shown(entered.step), through, *rest.steps), rest.final, rest.factor)
        return None

    def targets(self) -> tuple[list[Target], str]:
        """Where contributions may arrive, best first, and the path of a norm that makes the output."""
        assert self.root.left is not None
        output = flat(self.root.left)
        for norm, _ in reversed(self.parts.norms):
            if relative(_value(norm, Side.OUTPUT) - output, output) < EXACT:
                return [Target(_input(norm), _value(norm, Side.INPUT)), *self._inner_targets()], norm.path
        return [Target(_output(self.root), output), *self._inner_targets()], ""

    def _inner_targets(self) -> list[Target]:
        calls = [c for c in (*self.parts.rest, *self.parts.mixers) if self._stream(c.entered)]
        return [Target(_input(c), _value(c, Side.INPUT)) for c in sorted(calls, key=lambda c: c.start)]

    def find(self) -> LayerAnatomy:
        """The layer's anatomy, with paths below the layer."""
        targets, after_norm = self.targets()
        best: tuple[int, Target, dict[int, Route]] | None = None
        for number, target in enumerate(targets):
            routes = self._arriving(target, after_norm)
            vectors = sum(self._vectors(w) for w in self.parts.writers if w.start in routes)
            if routes and (best is None or vectors > best[0]):
                best = vectors, target, routes
            if number == 0 and len(routes) == len(self.parts.writers):
                break
        if best is None:
            after = _output(self.root)
            return LayerAnatomy(
                path="", before=(), total=after, after=after, formula="no feed-forward", dropped=self._dropped({})
            )
        _, target, routes = best
        return self._explain(target, routes, after_norm if target is targets[0] else "")

    def _arriving(self, target: Target, after_norm: str) -> dict[int, Route]:
        """Routes of all writers to the target, which must hold the residual stream beside their contributions."""
        routes = {w.start: r for w in self.parts.writers if (r := self.route(w, target)) is not None}
        if not routes or target.site == _output(self.root) or target.site.path == after_norm:
            return routes
        base = target.value - self._contribution(routes)
        if relative(base, target.value) < 1e-3:
            return {}
        found = explain(base, [value for _, _, value in self._base_candidates()])
        # The first candidate is the stream that entered the layer.
        return routes if found and found.terms[0][0] == 0 else {}

    def _vectors(self, writer: Call) -> int:
        if is_experts(writer.module):
            experts = Experts(writer.module)
            return experts.count * experts.width
        return writer.input_width

    def _dropped(self, routes: dict[int, Route]) -> tuple[str, ...]:
        return tuple(w.path for w in self.parts.writers if w.start not in routes)

    def _contribution(self, routes: dict[int, Route]) -> Tensor:
        finals = {route.final.start: route for route in routes.values()}
        parts = [route.factor * _value(route.final, Side.OUTPUT).double() for route in finals.values()]
        return torch.stack(parts).sum(0).float()

    # 4.: the stream before

    def _explain(self, target: Target, routes: dict[int, Route], after_norm: str) -> LayerAnatomy:
        base = target.value - self._contribution(routes)
        before, text = self._before(base)
        groups = tuple(self._group(w, routes[w.start]) for w in self.parts.writers if w.start in routes)
        formula = f"{text} + {' + '.join(_described(group) for group in groups)}"
        return LayerAnatomy(
            path="",
            before=before,
            total=target.site,
            after=_output(self.root),
            after_norm=after_norm,
            groups=groups,
            formula=f"{after_norm}({formula})" if after_norm else formula,
            dropped=self._dropped(routes),
        )

    def _group(self, writer: Call, route: Route) -> Group:
        if is_experts(writer.module):
            experts = Experts(writer.module)
            return Group(path=writer.path, experts=experts.count, width=experts.width, route=route.steps)
        return Group(path=writer.path, experts=0, width=writer.input_width, route=route.steps)

    def _before(self, base: Tensor) -> tuple[tuple[Term, ...], str]:
        """Where the stream before can be read, and what it consists of in words."""
        candidates = self._base_candidates()
        found = explain(base, [value for _, _, value in candidates])
        terms = found.terms if found else ()
        text = " + ".join(_product(factor, candidates[i][1]) for i, factor in terms) or "(stream before)"
        whole = next((site for site, value in self._places() if relative(value - base, base) < EXACT), None)
        if whole is not None:
            return (Term(site=whole),), text
        return tuple(Term(site=candidates[i][0], factor=factor) for i, factor in terms), text

    def _places(self) -> Iterator[tuple[Site, Tensor]]:
        """Every place where a whole stream can be read."""
        yield _input(self.root), flat(self.subject.stream)
        for call in sorted((*self.parts.rest, *self.parts.mixers), key=lambda c: c.start):
            if self._stream(call.entered):
                yield _input(call), _value(call, Side.INPUT)
            if self._stream(call.left):
                yield _output(call), _value(call, Side.OUTPUT)

    def _before_writers(self, call: Call) -> bool:
        """Whether no writer's output reaches what leaves the call."""
        value = _value(call, Side.OUTPUT)
        return not any(self._respond(w, _output(call), value).arrives for w in self.parts.writers)

    def _base_candidates(self) -> list[tuple[Site, str, Tensor]]:
        """Streams that the stream before may be a sum of: the layer's input, mixers, norms and the rest."""
        norms = [norm for norm, _ in self.parts.norms]
        others = [c for c in self.parts.rest if c not in norms and c not in self.parts.writers]
        calls = [c for c in (*self.parts.mixers, *norms, *others) if self._stream(c.left) and self._before_writers(c)]
        labelled = [
            (_input(self.root), "resid_pre", flat(self.subject.stream)),
            *((_output(call), call.path, _value(call, Side.OUTPUT)) for call in calls),
        ]
        unique: list[tuple[Site, str, Tensor]] = []
        for entry in labelled:
            if all(relative(entry[2] - other[2], other[2]) > EXACT for other in unique):
                unique.append(entry)
        return unique[:MOST_CANDIDATES]


def _input(call: Call) -> Site:
    return Site(path=call.path, side=Side.INPUT, occurrence=call.occurrence)


def _output(call: Call) -> Site:
    return Site(path=call.path, side=Side.OUTPUT, occurrence=call.occurrence)


def _value(call: Call, side: Side) -> Tensor:
    tensor = call.entered if side is Side.INPUT else call.left
    assert tensor is not None
    return flat(tensor)


def _shown(step: Step) -> tuple[Step, ...]:
    return () if step.form is Form.SCALE and step.factor == (1.0,) else (step,)


def _product(factor: tuple[float, ...], label: str) -> str:
    if factor == (1.0,):
        return label
    return f"{factor[0]:.6g}·{label}" if len(factor) == 1 else f"γ⊙{label}"


def _described(group: Group) -> str:
    text = group.path
    for step in group.route:
        match step.form:
            case Form.NORM:
                text = f"{step.path}({text})"
            case Form.SCALE:
                text = f"{step.factor[0]:.6g}·{text}"
            case Form.CHANNEL:
                text = f"γ⊙{text}"
            case Form.TOKEN:
                text = f"g(token)·{text}"
    return text
