"""The port into packed experts, through transformers' own experts interface: reads and changes each expert's numbers.

The coefficient of `L12E3D45` at a token is the expert's activation times the router's weight for it, 0 where the router
did not choose the expert. Setting it for a token that is not routed there adds coefficient · value vector all the same.

What is not covered: expert parallelism and quantised experts, whose weights are not one tensor.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

from lm_debugger.anatomy.linear import Experts
from lm_debugger.engine.ports import Order, register
from lm_debugger.engine.rewrite import Round
from lm_debugger.engine.sites import Site

R = TypeVar("R")

IMPLEMENTATION = "lm_debugger"

# Sides of an experts module, for N tokens and K experts a token. A write's channel is expert · width + dimension.
CHOSEN = "experts chosen"  # (batch, positions, K): which experts the router chose
COEFFICIENT = "experts coefficient"  # (batch, positions, K, width): the router's weight included
WEIGHT = "experts weight"  # (batch, positions, K): the router's weight alone


@dataclass
class _Watch:
    """What is to happen in one experts module during forwards of one thread."""

    order: Order
    path: str
    rounds: list[Round] = field(default_factory=list)
    owner: int = field(default_factory=get_ident)

    def keep(self, index: Tensor, coefficient: Tensor, weight: Tensor) -> None:
        rows = self.order.clock.batch
        for side, found in ((CHOSEN, index), (COEFFICIENT, coefficient), (WEIGHT, weight)):
            site = Site(path=self.path, side=side)
            if site in self.order.taps and site not in self.order.kept:
                if torch.is_grad_enabled() and found.is_floating_point():
                    self.order.flows[site] = found
                self.order.kept[site] = found.view(rows, -1, *found.shape[1:])


_watches: dict[nn.Module, _Watch] = {}
_stock: dict[nn.Module, Callable[..., Tensor]] = {}


class ExpertsPort:
    """See the file's first lines."""

    sides: frozenset[str] = frozenset((CHOSEN, COEFFICIENT, WEIGHT))

    def around(self, order: Order, forward: Callable[[], R]) -> R:
        """See `Port`."""
        taps, rounds = order.mine(self.sides)
        paths = dict.fromkeys(site.path for site in (*taps, *rounds))
        if not paths:
            return forward()
        modules: dict[str, Any] = {path: order.module(path) for path in paths}
        configs: dict[int, Any] = {id(module.config): module.config for module in modules.values()}
        before = {key: config._experts_implementation for key, config in configs.items()}
        try:
            for path, module in modules.items():
                plain = getattr(type(module).forward, "__wrapped__", None)
                if plain is not None:
                    _stock[module] = ALL_EXPERTS_FUNCTIONS.get_interface(before[id(module.config)], plain)
                changes = rounds.get(Site(path=path, side=COEFFICIENT), [])  # of single coefficients, all of them
                _watches[module] = _Watch(order, path, [r for r in changes if isinstance(r, Round)])
            for config in configs.values():
                config._experts_implementation = IMPLEMENTATION
            return forward()
        finally:
            for key, config in configs.items():
                config._experts_implementation = before[key]
            for module in modules.values():
                _watches.pop(module, None)
                _stock.pop(module, None)


def _activation(module: Any, expert: int, x: Tensor) -> Tensor:
    """The expert's activation for tokens x (n, hidden): (n, width)."""
    name = "gate_up_proj" if module.has_gate else "up_proj"
    weight = getattr(module, name)[expert]
    inner = x @ weight if module.is_transposed else functional.linear(x, weight)
    if module.has_bias:
        inner = inner + getattr(module, f"{name}_bias")[expert]
    result: Tensor = module._apply_gate(inner) if module.has_gate else module.act_fn(inner)
    return result


def _forward(module: Any, hidden: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Every chosen expert's activation, changed, then its down projection and router weight: loops over experts."""
    watch = _watches.get(module)
    if (watch is None or watch.owner != get_ident()) and module in _stock:
        return _stock[module](module, hidden, index, weight)  # somebody else's forward
    experts = Experts(module)
    tokens, chosen = index.shape
    flat = index.reshape(-1)
    # A router may choose "no expert", which is numbered beyond the last one.
    rows = [(expert, (flat == expert).nonzero()[:, 0]) for expert in flat.unique().tolist() if expert < experts.count]
    activation = hidden.new_zeros(tokens * chosen, experts.width)
    for expert, where in rows:
        activation[where] = _activation(module, expert, hidden[where // chosen])
    absent: Tensor | float = 0.0
    if watch is not None:
        coefficient = activation.view(tokens, chosen, -1) * weight[..., None]
        if watch.rounds and torch.is_grad_enabled():
            activation = activation.clone()  # the product's own is needed for its gradient
        for round_ in watch.rounds:
            absent = absent + _rewrite(round_, watch, experts, index, weight, coefficient, activation)
        watch.keep(index, coefficient, weight)
        if torch.is_grad_enabled():  # what is kept must be what flows on
            activation = coefficient.view(tokens * chosen, -1) / weight.reshape(-1, 1)
    pieces = hidden.new_zeros(tokens * chosen, hidden.shape[-1])
    for expert, where in rows:
        piece = activation[where] @ experts.matrix(expert)
        bias = experts.bias(expert)
        pieces[where] = piece if bias is None else piece + bias
    out = (pieces * weight.reshape(-1, 1)).view(tokens, chosen, -1).sum(1)
    return (out + absent).to(hidden.dtype)


def _rewrite(
    round_: Round,
    watch: _Watch,
    experts: Experts,
    index: Tensor,
    weight: Tensor,
    coefficient: Tensor,
    activation: Tensor,
) -> Tensor:
    """Change coefficients (N, K, width) and activations (N · K, width) in place, where the expert was chosen.

    Returns:
        What the changes add for tokens that the router sent elsewhere: (N, hidden), or a zero.
    """
    clock = watch.order.clock
    tokens, chosen = index.shape
    length = tokens // clock.batch
    start = clock.start + clock.length - length
    if not round_.touches(start, start + length):
        return coefficient.new_zeros(())
    channels = round_.numbers(coefficient).channels
    wanted, dimensions = channels // experts.width, channels % experts.width
    here = (index[:, :, None] == wanted) & (weight != 0)[:, :, None]  # (N, K, changes)
    old = (coefficient[:, :, dimensions] * here).sum(1)
    largest = coefficient.amax((1, 2)).view(clock.batch, length, 1) if round_.any_maximum else None
    mask = round_.mask(clock.batch, start, start + length)
    new = round_.changed(old.view(clock.batch, length, -1), largest, mask).reshape(old.shape)
    slots = activation.view(tokens, chosen, -1)
    changed = here & (new != old)[:, None, :]
    for column, dimension in enumerate(dimensions.tolist()):
        slot, value = changed[:, :, column], new[:, column, None]
        coefficient[:, :, dimension] = torch.where(slot, value, coefficient[:, :, dimension])
        slots[:, :, dimension] = torch.where(slot, (value / weight).to(slots), slots[:, :, dimension])
    elsewhere = torch.where(here.any(1), torch.zeros_like(new), new)
    names = zip(wanted.tolist(), dimensions.tolist(), strict=True)
    vectors = torch.stack([experts.matrix(expert)[dimension] for expert, dimension in names])
    return elsewhere.to(vectors) @ vectors


ALL_EXPERTS_FUNCTIONS.register(IMPLEMENTATION, _forward)
register(ExpertsPort())
