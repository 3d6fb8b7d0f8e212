"""Around the model's forward: rewrites coefficients, sends them to a sink, counts positions.

Positions are counted at the model's top-level forward, so they are right under a key-value cache.
"""

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.engine.hooks import Hook, attached, input_of, with_input
from lm_debugger.engine.rewrite import Plan, Round, rewrite_dense
from lm_debugger.units.experts import Observer, Routed, observing


class Clock:
    """Where the current forward stands: rows, first position and number of positions."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self.batch = 1
        self.start = 0
        self.length = 0
        self.seen = 0
        self.observers = list(observers)

    def tick(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before each top-level forward."""
        ids = kwargs.get("input_ids")
        if ids is None:
            ids = args[0] if args else kwargs["inputs_embeds"]
        self.batch, self.length = ids.shape[0], ids.shape[1]
        # Without a cache every step runs the whole sequence again, from position 0.
        self.start = self.seen if self.length == 1 else 0
        self.seen = self.start + self.length
        for observer in self.observers:
            observer.batch, observer.start = self.batch, self.start

    def rows(self, stream: Tensor) -> Tensor:
        """The stream as (batch, positions, channels), whatever the module's own layout."""
        return stream.reshape(self.batch, -1, stream.shape[-1])

    def first(self, rows: Tensor) -> int:
        """Position of the first of rows (batch, positions, …): a stream of fewer positions holds the last ones."""
        return self.start + self.length - rows.shape[1]


def _rewriting(clock: Clock, rounds: list[Round]) -> Any:
    def before(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        entered = input_of(args, kwargs)
        assert entered is not None  # the anatomy says that a stream enters here
        rows = clock.rows(entered)
        changed = rewrite_dense(rounds, rows, clock.first(rows))
        return None if changed is rows else with_input(args, kwargs, changed.reshape(entered.shape))

    return before


@contextmanager
def rewriting(network: PreTrainedModel, anatomy: Anatomy, plan: Plan | None) -> Iterator[Clock]:
    """Rewrite coefficients in every forward of the block, generation included."""
    observers, hooks = rewriters(network, anatomy, plan, {})
    clock = Clock(observers.values())
    with attached([Hook(network, before=clock.tick), *hooks(clock)]), observing(network, observers):
        yield clock


def rewriters(network: PreTrainedModel, anatomy: Anatomy, plan: Plan | None, keep: dict[int, list[Routed]]) -> Any:
    """Observers for experts, and a function that makes the hooks of dense groups for a clock.

    Args:
        plan: the rewrites, or None.
        keep: layers whose experts' coefficients are to be kept, with the lists to keep them in.
    """
    observers: dict[nn.Module, Observer] = {}
    dense: list[tuple[nn.Module, list[Round]]] = []
    if plan is None and not keep:
        return observers, lambda clock: []
    for index, layer in enumerate(anatomy.layers):
        first = 0
        for group in layer.groups:
            module = network.get_submodule(group.path)
            if group.experts:
                rounds = plan.routed.get(index, []) if plan else []
                if plan is not None or index in keep:  # all layers alike, so that rounding is the same with any edits
                    observers[module] = Observer(rounds, keep.get(index))
            else:
                rounds = plan.part(index, first, group.width) if plan else []
                if rounds:
                    dense.append((module, rounds))
                first += group.width
    return observers, lambda clock: [Hook(module, before=_rewriting(clock, rounds)) for module, rounds in dense]


class Sink(Protocol):
    """Takes coefficients as they are computed."""

    def dense(self, layer: int, first: int, coefficients: Tensor) -> None:
        """Coefficients (tokens, width) of a dense group whose dimensions start at `first`."""

    def routed(self, layer: int, index: Tensor, coefficients: Tensor) -> None:
        """Coefficients (tokens, K, width) of the experts in index (tokens, K)."""


@contextmanager
def streaming(network: PreTrainedModel, anatomy: Anatomy, sink: Sink) -> Iterator[None]:
    """Send every coefficient computed in the block to a sink, but for position 0.

    The first token of a text is an attention sink in most models, with coefficients like nowhere else.
    """
    keep: dict[int, list[Routed]] = {i: [] for i, layer in enumerate(anatomy.layers) if layer.routed}
    observers, _ = rewriters(network, anatomy, None, keep)
    clock = Clock(observers.values())

    def taking(layer: int, first: int) -> Any:
        def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            entered = input_of(args, kwargs)
            assert entered is not None
            rows = clock.rows(entered)
            rows = rows[:, 1 if clock.first(rows) == 0 else 0 :]
            sink.dense(layer, first, rows.reshape(-1, rows.shape[-1]))

        return before

    def flush(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        skip = 1 if clock.start == 0 else 0
        for layer, kept in keep.items():
            for routed in kept:
                index, coefficients = (
                    value.view(clock.batch, clock.length, *value.shape[1:])[:, skip:].flatten(0, 1)
                    for value in (routed.index, routed.coefficient)
                )
                sink.routed(layer, index, coefficients)
            kept.clear()

    hooks = [Hook(network, clock.tick, flush)]
    for number, layer in enumerate(anatomy.layers):
        first = 0
        for group in layer.dense:
            hooks.append(Hook(network.get_submodule(group.path), taking(number, first)))
            first += group.width
    with torch.no_grad(), attached(hooks), observing(network, observers):
        yield


def forward_options(network: PreTrainedModel, *, all_logits: bool) -> dict[str, Any]:
    """Keyword arguments for one whole forward without a cache, as far as the model's forward takes them."""
    accepted = set(inspect.signature(network.forward).parameters)
    if "kwargs" in accepted:  # handed on to the base model
        accepted |= set(inspect.signature(network.base_model.forward).parameters)
    options: dict[str, Any] = {"use_cache": False, "return_dict": True}
    if not all_logits:
        options["logits_to_keep"] = 1
    return {name: value for name, value in options.items() if name in accepted or name == "return_dict"}
