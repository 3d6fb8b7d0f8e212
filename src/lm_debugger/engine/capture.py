"""Records one whole forward: every stream that a trace reads, at all positions.

Where nothing changes a stream in place, the tensors kept are the model's own, not copies.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lm_debugger.anatomy.parts import Anatomy, Heads, Side, Site
from lm_debugger.engine.forward import Clock, forward_options, rewriters
from lm_debugger.engine.hooks import Hook, attached, input_of, output_of
from lm_debugger.engine.rewrite import Plan
from lm_debugger.units.experts import Routed, observing


class Capture:
    """The streams of one forward.

    Attributes:
        streams: for each site that was asked for, a tensor (batch, positions, channels).
        routed: for each layer with a mixture of experts, its coefficients.
    """

    def __init__(self) -> None:
        self.streams: dict[Site, Tensor] = {}
        self.routed: dict[int, Routed] = {}


def sites(anatomy: Anatomy, *, proof: bool = False) -> tuple[Site, ...]:
    """Every site that a full trace reads; with `proof` also those that only the proof of heads needs."""
    found: dict[Site, None] = {}
    for layer in anatomy.layers:
        wanted = [Site(path=layer.path, side=Side.INPUT), layer.total, layer.after]
        wanted += [term.site for term in layer.before]
        for group in layer.groups:
            wanted.append(Site(path=group.path, side=Side.OUTPUT))
            if not group.experts:
                wanted.append(Site(path=group.path, side=Side.INPUT))
            for step in group.route:
                if step.path:
                    wanted += [Site(path=step.path, side=Side.INPUT), Site(path=step.path, side=Side.OUTPUT)]
        if layer.heads is not None:
            wanted += _of_heads(layer.heads, proof=proof)
        found.update(dict.fromkeys(wanted))
    return tuple(found)


def _of_heads(heads: Heads, *, proof: bool) -> list[Site]:
    wanted = [Site(path=heads.path, side=Side.INPUT)]
    for step in heads.route:
        if step.path:
            wanted += [Site(path=step.path, side=Side.INPUT), Site(path=step.path, side=Side.OUTPUT)]
    if proof:
        wanted += [Site(path=heads.path, side=Side.OUTPUT), *(term.site for term in heads.rest)]
        wanted += [heads.arrives] if heads.arrives is not None else []
    return wanted


class Recorder:
    """Records forwards of one model. Made once: finding the modules takes longer than hooking them.

    Args:
        network: the model.
        anatomy: its anatomy.
        proof: also record what only the proof of heads needs.
    """

    def __init__(self, network: PreTrainedModel, anatomy: Anatomy, *, proof: bool = False) -> None:
        self._network = network
        self._anatomy = anatomy
        self._sites = sites(anatomy, proof=proof)
        sides: dict[str, set[Side]] = {}
        for site in self._sites:
            sides.setdefault(site.path, set()).add(site.side)
        self._modules = [(path, network.get_submodule(path), wanted) for path, wanted in sides.items()]
        self._options = {every: forward_options(network, all_logits=every) for every in (False, True)}
        self._routed = [index for index, layer in enumerate(anatomy.layers) if layer.routed]

    def run(self, ids: Tensor, *, plan: Plan | None = None, logits: bool = False) -> tuple[Capture, Tensor | None]:
        """Run token ids (batch, positions) once, without a cache.

        Args:
            plan: rewrites in force.
            logits: also return the model's own logits (batch, positions, vocabulary).
        """
        keep: dict[int, list[Routed]] = {index: [] for index in self._routed}
        observers, dense = rewriters(self._network, self._anatomy, plan, keep)
        clock = Clock(observers.values())
        taps = {path: _Tap(module, wanted, copy=self._anatomy.mutates) for path, module, wanted in self._modules}
        hooks = [Hook(self._network, before=clock.tick), *dense(clock), *(tap.hook() for tap in taps.values())]
        with torch.no_grad(), attached(hooks), observing(self._network, observers):
            output = self._network(input_ids=ids, **self._options[logits])
        result = Capture()
        for site in self._sites:
            result.streams[site] = clock.rows(taps[site.path].kept[site.side][site.occurrence])
        result.routed = {layer: kept[0] for layer, kept in keep.items()}
        return result, output.logits if logits else None


class _Tap:
    """Keeps the streams at one or both ends of a module's calls."""

    def __init__(self, module: nn.Module, wanted: set[Side], *, copy: bool) -> None:
        self._module = module
        self._wanted = wanted
        self._copy = copy
        self.kept: dict[Side, list[Tensor]] = {Side.INPUT: [], Side.OUTPUT: []}

    def hook(self) -> Hook:
        if self._copy and Side.INPUT in self._wanted:
            # The input has to be copied before the module may change it.
            after = partial(self._after, with_input=False) if Side.OUTPUT in self._wanted else None
            return Hook(self._module, self._before, after)
        return Hook(self._module, after=partial(self._after, with_input=Side.INPUT in self._wanted))

    def _before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._keep(Side.INPUT, input_of(args, kwargs))

    def _after(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, *, with_input: bool
    ) -> None:
        if with_input:
            self._keep(Side.INPUT, input_of(args, kwargs))
        if Side.OUTPUT in self._wanted:
            self._keep(Side.OUTPUT, output_of(output))

    def _keep(self, side: Side, stream: Tensor | None) -> None:
        assert stream is not None  # the anatomy says that a stream passes here
        self.kept[side].append(stream.clone() if self._copy else stream)
