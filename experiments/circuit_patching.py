"""A model's components (heads, feed-forwards, the embedding) and runs in which all but some are counterfactual."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from experiments.circuit_tasks import Pair
from lm_debugger import Debugger
from lm_debugger.attribution.reference import embedding_site
from lm_debugger.engine.hooks import Hook, attached, input_of, output_of, with_input, with_output
from lm_debugger.engine.sites import Pass, Side, Site
from lm_debugger.model.resuming import entrance
from lm_debugger.units.heads.group import HeadGroup

EMBEDDING = "embedding"


class Place(NamedTuple):
    """Where components are: a layer's site, and the names of the equal parts that its channels have."""

    layer: int
    site: Site
    names: tuple[str, ...]


def places(debugger: Debugger) -> list[Place]:
    """All components. What has none (a mixer without heads) is computed anew from what it reads."""
    model = debugger.model
    found = [Place(0, embedding_site(model), (EMBEDDING,))]
    for layer, block in enumerate(model.blocks):
        for group in block.units:
            if isinstance(group, HeadGroup):
                heads = tuple(str(group.name(head)) for head in range(group.heads.count))
                found += [Place(layer, group.slices_site, heads)]
        ways = [Site(path=each.path, side=Side.OUTPUT) for each in block.groups]
        found += [Place(layer, site, (f"L{layer} feed-forward",)) for site in ways]
    return found


class Counterfactual:
    """Pairs of one length, run together with components that take their values from the other side.

    Args:
        debugger: the model.
        members: pairs of as many tokens.
    """

    def __init__(self, debugger: Debugger, members: Sequence[Pair]) -> None:
        self._model = debugger.model
        self._members = members
        self._places = places(debugger)
        self._last = self._model.anatomy.layers[-1].after
        taps = [place.site for place in self._places]
        entrances = [entrance(self._model.anatomy, layer) for layer in range(self._model.layers)]
        own = self._model.engine.observe([Pass(pair.ids) for pair in members], entrances)
        self._entering = [torch.stack([capture[site] for capture in own]) for site in entrances]
        captures = self._model.engine.observe([Pass(pair.other) for pair in members], taps)
        self._other = {site: torch.stack([capture[site] for capture in captures]) for site in taps}

    @torch.no_grad()
    def leads(self, kept: frozenset[str] | None) -> Tensor:
        """Each pair's lead of its answer with the kept components at their own values: (pairs,); None keeps all."""
        hooks = () if kept is None else tuple(self._hooks(kept))
        layer = self._lowest(kept)
        resume = self._model.resume(layer, self._entering[layer]) if layer else None
        with attached(hooks):
            captures = self._model.engine.observe(
                [Pass(pair.ids) for pair in self._members], [self._last], resume=resume
            )
        logits = self._model.readout.uncapped(torch.stack([capture[self._last][-1] for capture in captures]))
        rows = torch.arange(len(logits))
        answers = torch.tensor([(pair.target, pair.against) for pair in self._members])
        return logits[rows, answers[:, 0]] - logits[rows, answers[:, 1]]

    def _lowest(self, kept: frozenset[str] | None) -> int:
        """The lowest layer where something is patched: what lies below is as it was."""
        patched = [p.layer for p in self._places if kept is not None and not kept.issuperset(p.names)]
        return min(patched, default=0)

    def _hooks(self, kept: frozenset[str]) -> Iterator[Hook]:
        for place in self._places:
            mine = torch.tensor([name in kept for name in place.names])
            if bool(mine.all()):
                continue
            other = self._other[place.site]
            keep = mine.repeat_interleave(other.shape[-1] // len(mine))
            module = self._model.network.get_submodule(place.site.path)
            if place.site.side == Side.INPUT:
                yield Hook(module, before=partial(_before, keep, other))
            else:
                yield Hook(module, after=partial(_after, keep, other))


def _before(
    keep: Tensor, other: Tensor, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    stream = input_of(args, kwargs)
    assert stream is not None
    return with_input(args, kwargs, torch.where(keep, stream, other.reshape(stream.shape)))


def _after(
    keep: Tensor, other: Tensor, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> Any:
    stream = output_of(output)
    assert stream is not None
    return with_output(output, torch.where(keep, stream, other.reshape(stream.shape)))
