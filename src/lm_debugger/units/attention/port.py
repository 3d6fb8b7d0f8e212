"""The port into attention, through transformers' own attention interface: reads what each head attends to.

Only where a pattern is asked for is attention computed the plain ("eager") way, which has the weights as numbers; all
else runs as it does without. A site's path is the layer's: whichever module of the layer asks the interface is read.

What does not ask the interface (a few old architectures) is seen in torch's functions (`watching`). In a layer without
attention the sites are empty: (batch, 0).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import get_ident
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from lm_debugger.engine.ports import Order, register
from lm_debugger.engine.sites import Site
from lm_debugger.units.attention.watching import Seen, Watching

R = TypeVar("R")

IMPLEMENTATION = "lm_debugger"
AXES = 4  # batch, heads, positions, positions attended to

# Sides of a layer.
PATTERN = "attention pattern"  # (batch, positions, heads, positions attended to): the weights
VALUES = "attention values"  # (batch, positions attended to, heads, width): what is attended to


@dataclass
class _Watch:
    """What is to be read in one layer."""

    order: Order
    path: str

    def keep(self, weights: Tensor, values: Tensor) -> None:
        for side, found in ((PATTERN, weights), (VALUES, values)):
            site = Site(path=self.path, side=side)
            if site in self.order.taps and site not in self.order.kept:
                self.order.kept[site] = found.transpose(1, 2)

    def keep_seen(self, seen: Seen) -> None:
        """Weights and values as (batch, heads, …) or (batch · heads, …)."""
        rows = self.order.clock.batch
        weights, values = (each.reshape(rows, -1, *each.shape[-2:]) for each in seen)
        groups = weights.shape[1] // max(values.shape[1], 1)
        self.keep(weights, values.repeat_interleave(groups, 1) if groups > 1 else values)


@dataclass
class _Turn:
    """Whose forward a network's modules are in, and how they attend otherwise."""

    owner: int
    stock: str | None


_turns: dict[nn.Module, _Turn] = {}
_watches: dict[nn.Module, _Watch] = {}


class AttentionPort:
    """See the file's first lines."""

    sides: frozenset[str] = frozenset((PATTERN, VALUES))

    def around(self, order: Order, forward: Callable[[], R]) -> R:
        """See `Port`."""
        taps, _ = order.mine(self.sides)
        paths = list(dict.fromkeys(site.path for site in taps))
        if not paths:
            return forward()
        modules = [module for module in order.module("").modules() if hasattr(module, "config")]
        configs: dict[int, Any] = {id(module.config): module.config for module in modules}
        before = {key: config._attn_implementation for key, config in configs.items()}
        watched = [(module, path) for path in paths for module in order.module(path).modules()]
        try:
            _turns.update((module, _Turn(get_ident(), before[id(module.config)])) for module in modules)
            _watches.update((module, _Watch(order, path)) for module, path in watched)
            for config in configs.values():
                config._attn_implementation_internal = IMPLEMENTATION  # of this configuration, not of those within it
            watching = Watching()
            with watching.layers((path, order.module(path)) for path in paths):
                result = forward()
            for path, seen in watching.seen.items():  # of what has not asked the interface
                _Watch(order, path).keep_seen(seen)
            for site in taps:
                order.kept.setdefault(site, torch.zeros(order.clock.batch, 0))
            return result
        finally:
            for key, config in configs.items():
                config._attn_implementation_internal = before[key]
            for module in modules:
                _turns.pop(module, None)
            for module, _ in watched:
                _watches.pop(module, None)


def _eager(module: nn.Module) -> Callable[..., tuple[Tensor, Tensor]]:
    """The plain attention of the module's own architecture."""
    for kind in type(module).__mro__:
        found = getattr(sys.modules.get(kind.__module__), "eager_attention_forward", None)
        if found is not None:
            return found  # type: ignore[no-any-return]  # transformers names it so in every file
    raise LookupError(f"{type(module).__name__} has no plain attention")


def _forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # most give it by its place, some by its name
    *rest: Any,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Plain attention; what a watched module attends to is kept."""
    eager, turn = _eager(module), _turns.get(module)
    if turn is not None and turn.owner != get_ident():  # somebody else's forward
        stock = ALL_ATTENTION_FUNCTIONS.get_interface(turn.stock or "eager", eager)
        return stock(module, query, key, value, attention_mask, *rest, **options)  # type: ignore[no-any-return]
    output, weights = eager(module, query, key, value, attention_mask, *rest, **options)
    watch = _watches.get(module)
    if watch is not None and weights.dim() == AXES:
        groups = weights.shape[1] // value.shape[1]
        watch.keep(weights, value.repeat_interleave(groups, 1) if groups > 1 else value)
    return output, weights


ALL_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, _forward)
ALL_MASK_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, eager_mask)
register(AttentionPort())
