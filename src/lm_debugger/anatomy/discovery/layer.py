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
from lm_debugger.anatomy.discovery.route import (
    Route,
    Router,
    Target,
    entering,
    input_site,
    leaving,
    output_site,
    value_of,
)
from lm_debugger.anatomy.discovery.subject import Subject, flat
from lm_debugger.anatomy.linear import Experts, is_affine, is_experts, plain_matrix
from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Form, Group, LayerAnatomy, Term
from lm_debugger.engine.sites import Side, Site

MOST_CANDIDATES = 12


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
        self.opened: list[Call] = []
        self.parts = self._sort()
        self.router = Router(self.subject)

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
            self.opened += [m for m in parts.mixers if m.start in more]
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

    def is_stream(self, tensor: Tensor | None) -> bool:
        """Whether the tensor has the residual stream's width for each token."""
        return tensor is not None and tensor.shape[-1] == self.hidden and tensor.numel() == self.tokens * self.hidden

    def _norms(self, calls: list[Call]) -> Iterator[tuple[Call, NormForm]]:
        for call in calls:
            if self.is_stream(call.entered) and self.is_stream(call.left):
                form = probe(call.module, self.hidden)
                if form is not None:
                    yield call, form

    def _writers(self, parts: Parts) -> Iterator[Call]:
        mixed = [flat(m.left) for m in (*parts.mixers, *self.opened) if m.left is not None]
        found: list[Call] = []
        for call in parts.rest:
            if not self.is_stream(call.left) or call.entered is None or any(w.encloses(call) for w in found):
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
        return self.is_linear(call)

    def is_linear(self, call: Call) -> bool:
        """Whether the call computes x·W + b for each token."""
        if call.entered is None or call.left is None:
            return False
        if call.entered.numel() // call.entered.shape[-1] != self.tokens:
            return False
        return plain_matrix(call.module, flat(call.entered), flat(call.left)) is not None or (
            not isinstance(call.module, torch.nn.Embedding) and is_affine(call.module, call.entered)
        )

    # 3.: routes

    def route(self, node: Call, target: Target) -> Route | None:
        """The node's route to the target, or None if it arrives in no simple way or not at all."""
        return self.router.route(node, target, self.parts.norms)

    def targets(self) -> tuple[list[Target], str]:
        """Where contributions may arrive, best first, and the path of a norm that makes the output."""
        assert self.root.left is not None
        output = flat(self.root.left)
        for norm, _ in reversed(self.parts.norms):
            if relative(value_of(norm, Side.OUTPUT) - output, output) < EXACT:
                return [entering(norm), *self.inner_targets()], norm.path
        return [leaving(self.root), *self.inner_targets()], ""

    def inner_targets(self) -> list[Target]:
        """What enters the calls of the layer, in order."""
        calls = [c for c in (*self.parts.rest, *self.parts.mixers) if self.is_stream(c.entered)]
        return [entering(c) for c in sorted(calls, key=lambda c: c.start)]

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
            after = output_site(self.root)
            return LayerAnatomy(
                path="", before=(), total=after, after=after, formula="no feed-forward", dropped=self._dropped({})
            )
        _, target, routes = best
        return self._explain(target, routes, after_norm if target is targets[0] else "")

    def _arriving(self, target: Target, after_norm: str) -> dict[int, Route]:
        """Routes of all writers to the target, which must hold the residual stream beside their contributions."""
        routes = {w.start: r for w in self.parts.writers if (r := self.route(w, target)) is not None}
        site = target.terms[0].site
        if not routes or site == output_site(self.root) or site.path == after_norm:
            return routes
        base = target.value - self._contribution(routes)
        if relative(base, target.value) < 1e-3:
            return {}
        found = explain(base, [value for _, _, value in self.base_candidates(self.parts.writers)])
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
        parts = [route.factor * value_of(route.final, Side.OUTPUT).double() for route in finals.values()]
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
            total=target.terms[0].site,
            after=output_site(self.root),
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
        candidates = self.base_candidates(self.parts.writers)
        found = explain(base, [value for _, _, value in candidates])
        terms = found.terms if found else ()
        text = " + ".join(_product(factor, candidates[i][1]) for i, factor in terms) or "(stream before)"
        whole = next((site for site, value in self._places() if relative(value - base, base) < EXACT), None)
        if whole is not None:
            return (Term(site=whole),), text
        return tuple(Term(site=candidates[i][0], factor=factor) for i, factor in terms), text

    def _places(self) -> Iterator[tuple[Site, Tensor]]:
        """Every place where a whole stream can be read."""
        yield input_site(self.root), flat(self.subject.stream)
        for call in sorted((*self.parts.rest, *self.parts.mixers), key=lambda c: c.start):
            if self.is_stream(call.entered):
                yield input_site(call), value_of(call, Side.INPUT)
            if self.is_stream(call.left):
                yield output_site(call), value_of(call, Side.OUTPUT)

    def _unreached(self, call: Call, sources: list[Call]) -> bool:
        """Whether no source's output reaches what leaves the call."""
        return not any(self.router.respond(source, leaving(call)).arrives for source in sources)

    def base_candidates(self, sources: list[Call]) -> list[tuple[Site, str, Tensor]]:
        """Streams that a sum may have beside what the sources give: the layer's input, mixers, norms, the rest."""
        norms = [norm for norm, _ in self.parts.norms]
        others = [c for c in self.parts.rest if c not in norms and c not in self.parts.writers]
        calls = [
            c for c in (*self.parts.mixers, *norms, *others) if self.is_stream(c.left) and self._unreached(c, sources)
        ]
        labelled = [
            (input_site(self.root), "resid_pre", flat(self.subject.stream)),
            *((output_site(call), call.path, value_of(call, Side.OUTPUT)) for call in calls),
        ]
        unique: list[tuple[Site, str, Tensor]] = []
        for entry in labelled:
            if all(relative(entry[2] - other[2], other[2]) > EXACT for other in unique):
                unique.append(entry)
        return unique[:MOST_CANDIDATES]


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
