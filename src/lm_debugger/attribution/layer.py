"""Direct effects in one layer, gone through backwards: from a direction after the layer to one before it.

A direction says what a vector in the residual stream is multiplied with to give its effect. Going back through a norm
at its scale for this token, and through factors, keeps this exact; what comes on top of the stream on the way (units,
biases) is accounted for where it is added.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Form, Step, Term
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.account import Entry, UnitEffects
from lm_debugger.engine.sites import Side, Site
from lm_debugger.records.why import PartKind
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.layer import BoundLayer
from lm_debugger.units.unit import ValueGroup

SAME = 1e-5  # relative: two streams of one forward that differ by rounding only


def extra_sites(layer: BoundLayer) -> list[Site]:
    """What has to be captured beside a trace's sites to go back through the layer."""
    found: list[Site] = []
    heads = layer.anatomy.heads
    if heads is not None and heads.arrives is not None:
        found.append(heads.arrives)
    for term in (*(heads.rest if heads is not None else ()), *layer.anatomy.before):
        found.append(term.site)
        if term.site.side == Side.OUTPUT and term.site.path != layer.anatomy.path:
            found.append(Site(path=term.site.path, side=Side.INPUT, occurrence=term.site.occurrence))
    return [site for site in dict.fromkeys(found) if site not in layer.sites]


class LayerBack:
    """One layer at one position.

    Args:
        streams: the layer's streams at the position, with `extra_sites`.
        module: gives a module by its path.
        edited: what to call the edits along directions of the stream after the layer; "" where there are none.
    """

    def __init__(self, streams: LayerStreams, module: Callable[[str], nn.Module], edited: str = "") -> None:
        self._streams = streams
        self._module = module
        self._anatomy = streams.layer.anatomy
        self._index = streams.layer.index
        self._edited = edited
        self.entries: list[Entry] = []
        self.units: list[UnitEffects] = []

    def through(self, direction: Tensor) -> Tensor:
        """Go back: the direction (hidden,) after the layer, to the one before it. Fills `entries` and `units`."""
        streams = self._streams
        after = self._unedited(direction) if self._edited else streams.after
        if self._anatomy.after_norm:
            direction = self._norm(self._anatomy.after_norm, direction, streams.total, after)
        elif self._edited:
            pass  # what is in the sum beside before and contribution is the edits'
        elif not _same(streams.after, streams.total):
            self._add("after", "stream", direction, streams.after - streams.total)
        whole = not streams.layer.groups and self._anatomy.heads is not None and self._anatomy.heads.arrives is not None
        if not whole:
            self._feed_forward(direction)
        return self._mixer(direction, streams.total if whole else streams.before, whole=whole)

    def _unedited(self, direction: Tensor) -> Tensor:
        """The stream after the layer as it was before the edits, which are accounted for."""
        streams = self._streams
        if self._anatomy.after_norm:
            norm = self._module(self._anatomy.after_norm)
            plain: Tensor = norm(streams.raw(self._anatomy.total)).float()
        else:
            plain = streams.before + streams.contribution
        effect = float((streams.after - plain)[0].double() @ direction.double())
        if effect:
            self.entries.append(Entry(self._edited, "edit", self._index, effect))
        return plain

    # the feed-forward

    def _feed_forward(self, direction: Tensor) -> None:
        norms: set[str] = set()
        for group in self._streams.layer.groups:
            assert isinstance(group, ValueGroup)
            scale = float(self._streams.scale(group))
            self._values(group, direction, scale)
            bias = group.bias(self._streams)
            if bias is not None:
                name = "feed-forward bias" if len(self._streams.layer.groups) == 1 else f"{self._tail(group.path)} bias"
                self._add(name, "feed-forward bias", group.adjoint(direction) * scale, bias)
            for place, step in enumerate(group.route):
                if step.form is Form.NORM and step.path not in norms:
                    norms.add(step.path)
                    gate = scale / self._norm_scales(group.norms)
                    back = self._along(group.route[place + 1 :], group.norms, direction)
                    self._add(f"{self._tail(step.path)} bias", "norm bias", back * gate, group.norms[step.path].bias)

    def _values(self, group: ValueGroup, direction: Tensor, scale: float) -> None:
        coefficients = group.coefficients(self._streams)[0]
        effects = torch.zeros_like(coefficients)
        for block in group.blocks():
            place = slice(block.first, block.first + len(block))
            if bool(coefficients[place].any()):  # of many experts few are chosen
                effects[place] = coefficients[place] * block.products(direction[None])[0] * scale
        self.units.append(UnitEffects(group, "value", effects.cpu()))

    # the token mixer

    def _mixer(self, direction: Tensor, before: Tensor, *, whole: bool) -> Tensor:
        streams = self._streams
        group = next((unit for unit in self._bound.units if isinstance(unit, HeadGroup)), None)
        if group is None:
            return self._without_heads(direction, before)
        heads = HeadStreams(group, streams)
        if group.heads.arrives is not None:
            arrived = streams.at(group.heads.arrives)
            if whole or not _same(before, arrived):
                self._add("feed-forward" if whole else "stream", "feed-forward", direction, before - arrived)
            before = arrived
        vectors = heads.contributions()[0]
        scale = heads.scale.flatten()[0] if heads.scale.dim() else heads.scale
        along = group.projection.matrix.float() @ group.adjoint(direction) * scale
        effects = (vectors @ direction).cpu()
        self.units.append(UnitEffects(group, "head", effects, along.view(group.heads.count, group.heads.width)))
        self._add("attention bias", "attention bias", direction, heads.bias)
        post_norm = group.heads.post_norm
        if post_norm:
            steps = group.route[len(group.summed) + 1 :]
            left = streams.at(Site(path=post_norm, side=Side.OUTPUT))
            direction = self._norm(post_norm, self._along(steps, group.norms, direction), heads.total, left)
            mixed, before = heads.added, heads.total
        else:
            mixed = heads.contribution
        if group.heads.rest:
            return self._carried(group.heads.rest, direction)
        self._add("stream", "stream", direction, before - mixed - streams.pre)
        return direction

    def _without_heads(self, direction: Tensor, before: Tensor) -> Tensor:
        """A mixer that does not split: whole."""
        terms = self._anatomy.before
        entering = Site(path=self._anatomy.path, side=Side.INPUT)
        if len(terms) > 1 and any(term.site == entering for term in terms):
            return self._carried(terms, direction)
        self._add("mixer", "mixer", direction, before - self._streams.pre)
        return direction

    def _carried(self, terms: Sequence[Term], direction: Tensor) -> Tensor:
        """Back through a sum of streams to the layer's input; those that are not it are parts of their own."""
        entering = Site(path=self._anatomy.path, side=Side.INPUT)
        back = torch.zeros_like(direction)
        for term in terms:
            along = direction * direction.new_tensor(term.factor)
            if term.site == entering:
                back = back + along
                continue
            norm = self._of_input(term.site)
            if norm is None:
                self._add(self._tail(term.site.path), "mixer", along, self._streams.at(term.site))
                continue
            scale = norm.scale(self._streams.pre, self._streams.at(term.site))[0]
            self._add(f"{self._tail(term.site.path)} bias", "norm bias", along, norm.bias)
            back = back + norm.adjoint(along) * scale
        return back

    def _of_input(self, site: Site) -> NormForm | None:
        """The norm of the layer's input that gives a site, or None if none does."""
        if site.side != Side.OUTPUT:
            return None
        norm = probe(self._module(site.path), self._streams.pre.shape[-1])
        if norm is None:
            return None
        entered = self._streams.at(Site(path=site.path, side=Side.INPUT, occurrence=site.occurrence))
        return norm if _same(entered, self._streams.pre) else None

    # the way back

    def _norm(self, path: str, direction: Tensor, entered: Tensor, left: Tensor) -> Tensor:
        """Back through a norm over the stream."""
        form = probe(self._module(path), direction.shape[-1])
        assert form is not None  # the anatomy says that it is one
        self._add(f"{self._tail(path)} bias", "norm bias", direction, form.bias)
        return form.adjoint(direction) * float(form.scale(entered, left))

    def _along(self, steps: Sequence[Step], norms: dict[str, NormForm], direction: Tensor) -> Tensor:
        """Back along steps of a route, norms at their scales; gates left aside."""
        for step in reversed(steps):
            if step.form is Form.NORM:
                direction = norms[step.path].adjoint(direction) * self._norm_scale(step.path, norms[step.path])
            elif step.factor:
                direction = direction * direction.new_tensor(step.factor)
        return direction

    def _norm_scale(self, path: str, form: NormForm) -> float:
        entered, left = (self._streams.at(Site(path=path, side=side)) for side in (Side.INPUT, Side.OUTPUT))
        return float(form.scale(entered, left))

    def _norm_scales(self, norms: dict[str, NormForm]) -> float:
        product = 1.0
        for path, form in norms.items():
            product *= self._norm_scale(path, form)
        return product

    @property
    def _bound(self) -> BoundLayer:
        layer = self._streams.layer
        assert isinstance(layer, BoundLayer)
        return layer

    def _tail(self, path: str) -> str:
        """A module's path below the layer."""
        return path.removeprefix(f"{self._anatomy.path}.")

    def _add(self, what: str, kind: PartKind, direction: Tensor, vector: Tensor) -> None:
        effect = float(vector.reshape(-1).double() @ direction.double())
        if effect:
            self.entries.append(Entry(f"L{self._index} {what}", kind, self._index, effect))


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other or bool((one - other).norm() <= SAME * other.norm())
