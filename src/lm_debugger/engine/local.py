"""The engine that holds the network in this process."""

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lm_debugger.engine.engine import Choose, Resume, Warp
from lm_debugger.engine.guard import running
from lm_debugger.engine.hooks import sweep
from lm_debugger.engine.partial import CACHES
from lm_debugger.engine.ports import Clock, Order, ports
from lm_debugger.engine.resume import leaving_out
from lm_debugger.engine.rewrite import rounds
from lm_debugger.engine.sites import LOGITS, Capture, Pass, Site, Streams, Write, by_length
from lm_debugger.engine.state import WeightState, foreign_hooks
from lm_debugger.engine.stepping import LocalSteps
from lm_debugger.work import UNWATCHED, Work

R = TypeVar("R")


class LocalEngine:
    """See `engine.Engine`.

    Args:
        network: the model.
        batch_first: False where the stream is laid out (position, batch, hidden); passes then run one by one.
        mutates: whether some module changes a stream in place, so that what is kept must be copied.
        always: sites that are kept in every forward with writes, so that what reads them computes alike with any.
    """

    def __init__(
        self, network: PreTrainedModel, *, batch_first: bool = True, mutates: bool = False, always: Sequence[Site] = ()
    ) -> None:
        self.network = network
        self.batch_first = batch_first
        self.mutates = mutates
        self._always = tuple(always)
        self._modules: dict[str, nn.Module] = {}
        self._options = {every: forward_options(network, all_logits=every) for every in (False, True)}

    def weights(self) -> Hashable:
        """See `Engine`."""
        return WeightState(self.network)

    def state(self) -> Hashable:
        """See `Engine`."""
        return WeightState(self.network), foreign_hooks(self.network)

    def module(self, path: str) -> nn.Module:
        """A module by its path. Remembered: finding the modules of a trace takes longer than hooking them."""
        if path not in self._modules:
            self._modules[path] = self.network.get_submodule(path)
        return self._modules[path]

    def tensor(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Token ids of equal length on the network's device."""
        return torch.tensor(list(map(list, ids)), device=self.network.device)

    def observe(
        self,
        passes: Sequence[Pass],
        taps: Sequence[Site],
        *,
        pull: Mapping[Site, Tensor] | None = None,
        within: tuple[int, int] | None = None,
        ahead: int = 0,
        resume: Resume | None = None,
        work: Work = UNWATCHED,
    ) -> list[Capture]:
        """See `Engine`."""
        found: dict[int, Capture] = {}
        for group in by_length(passes):
            for members in [group] if self.batch_first else [[index] for index in group]:
                streams = self._forward([passes[index] for index in members], taps, pull, within, ahead, resume, work)
                found |= {index: Capture(streams, row) for row, index in enumerate(members)}
        return [found[index] for index in range(len(passes))]

    def _forward(
        self,
        passes: Sequence[Pass],
        taps: Sequence[Site],
        pull: Mapping[Site, Tensor] | None,
        within: tuple[int, int] | None,
        ahead: int,
        resume: Resume | None,
        work: Work,
    ) -> Streams:
        """Run passes of one length as one batch."""
        ids = self.tensor([one.ids for one in passes])
        writes = [one.writes for one in passes]
        cached = self._cached(ids[:, :ahead], writes, work) if ahead else {}
        ids = ids[:, ahead:]
        sites = tuple(taps) if pull is None else (*taps, *pull)
        order = self.order(sites, writes, Clock(len(passes), work))
        order.clock.start, order.clock.length = ahead, ids.shape[1]

        def forward() -> dict[Site, Tensor]:
            self.network(input_ids=ids, **{**self._options[LOGITS in order.taps], **cached})
            return {} if pull is None else _pulled(order, taps, pull, within)

        with torch.set_grad_enabled(pull is not None):
            gradients = self.under(order, partial(leaving_out, resume, self.module, forward))
        return Streams({site: order.kept[site].detach() for site in taps}, gradients)

    @torch.no_grad()
    def _cached(self, ids: Tensor, writes: Sequence[Sequence[Write]], work: Work) -> dict[str, Any]:
        """What to give a forward that goes on after ids (batch, positions). KeyError if the network keeps no cache."""
        order = self.order((), writes, Clock(len(ids), work))
        order.clock.length = ids.shape[1]
        outputs = self.under(order, lambda: self.network(input_ids=ids, **{**self._options[False], "use_cache": True}))
        name = CACHES[0] if CACHES[0] in outputs.keys() else CACHES[-1]  # noqa: SIM118  # old names warn
        return {name: outputs[name], "use_cache": True}

    def order(self, taps: Sequence[Site], writes: Sequence[Sequence[Write]], clock: Clock) -> Order:
        """What a forward is to keep and change."""
        due = rounds(writes)
        return Order(self.module, (*taps, *self._always) if due else taps, due, clock, copy=self.mutates)

    def under(self, order: Order, forward: Callable[[], R]) -> R:
        """Run the network, as ordered."""

        def go() -> R:
            try:
                engaged = forward
                for port in ports():
                    engaged = partial(port.around, order, engaged)
                return engaged()
            except BaseException:
                sweep(self.network.modules())  # an interruption may have hit the clean-up itself
                raise

        return running(self.network, go)

    def steps(
        self,
        passes: Sequence[Pass],
        choose: Choose,
        taps: Sequence[Site] = (),
        *,
        limit: int,
        endless: bool = False,
        warps: Sequence[Warp] = (),
        work: Work = UNWATCHED,
    ) -> LocalSteps:
        """See `Engine`. Where batches cannot be run, give one pass."""
        return LocalSteps(self, passes, choose, taps, limit=limit, endless=endless, warps=warps, work=work)


def _pulled(
    order: Order, taps: Sequence[Site], pull: Mapping[Site, Tensor], within: tuple[int, int] | None
) -> dict[Site, Tensor]:
    """The gradients of the pulled sites' products with their cotangents, at the taps that hold real numbers."""
    flowing = [site for site in taps if site in order.flows]
    sites = [site for site in flowing if order.flows[site].requires_grad]
    wanted = [order.flows[site] for site in sites]
    ends = [order.flows[site] for site in pull]
    count = next(iter(pull.values())).shape[0]
    found: dict[Site, list[Tensor]] = {site: [] for site in sites}
    for number in range(count):
        order.clock.work.go_on()
        cotangents = [pull[site][number].to(end).reshape(end.shape) for site, end in zip(pull, ends, strict=True)]
        gradients = torch.autograd.grad(
            ends, wanted, cotangents, retain_graph=number + 1 < count, allow_unused=True, materialize_grads=True
        )
        for site, gradient in zip(sites, gradients, strict=True):
            whole = gradient.reshape(order.kept[site].shape)
            found[site].append(whole if within is None else whole[:, slice(*within)].float().sum(1))
    for site in flowing:
        if site not in found:  # nothing that is differentiated reaches it
            still = torch.zeros_like(order.kept[site])
            found[site] = [still if within is None else still[:, slice(*within)].float().sum(1)] * count
    return {site: torch.stack(each) for site, each in found.items()}


def forward_options(network: PreTrainedModel, *, all_logits: bool) -> dict[str, Any]:
    """Keyword arguments for one whole forward without a cache, as far as the model's forward takes them."""
    accepted = set(inspect.signature(network.forward).parameters)
    if "kwargs" in accepted:  # handed on to the base model
        accepted |= set(inspect.signature(network.base_model.forward).parameters)
    options: dict[str, Any] = {"use_cache": False, "return_dict": True}
    if not all_logits:
        options["logits_to_keep"] = 1
    return {name: value for name, value in options.items() if name in accepted or name == "return_dict"}
