"""Mixture of experts through transformers' own experts interface: observe and rewrite each expert's coefficients.

The coefficient of `L12E3D45` at a token is the expert's activation times the router's weight for it, 0 where the router
did not choose the expert. Setting it for a token that is not routed there adds coefficient · value vector all the same.

What is not covered: expert parallelism and quantised experts, whose weights are not one tensor.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

from lm_debugger.anatomy.linear import Experts
from lm_debugger.engine.rewrite import Round

IMPLEMENTATION = "lm_debugger"


@dataclass
class Routed:
    """The coefficients of one experts call.

    Shapes for N tokens (batch · positions) and K experts a token: index (N, K), the experts chosen; coefficient
    (N, K, width), the router's weight included; weight (N, K), the router's weight alone.
    """

    index: Tensor
    coefficient: Tensor
    weight: Tensor


@dataclass
class Observer:
    """What is to happen in one experts module during a forward."""

    rounds: list[Round] = field(default_factory=list)
    keep: list[Routed] | None = None
    batch: int = 1
    start: int = 0


_observers: dict[nn.Module, Observer] = {}


@contextmanager
def observing(network: nn.Module, observers: Mapping[nn.Module, Observer]) -> Iterator[None]:
    """Run experts modules under the observers for the length of the block."""
    if not observers:
        yield
        return
    configs: dict[int, Any] = {id(module.config): module.config for module in observers}
    before = {key: config._experts_implementation for key, config in configs.items()}
    try:
        _observers.update(observers)
        for config in configs.values():
            config._experts_implementation = IMPLEMENTATION
        yield
    finally:
        for key, config in configs.items():
            config._experts_implementation = before[key]
        for module in observers:
            _observers.pop(module, None)


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
    """Every chosen expert's activation, rewritten, then its down projection and router weight: loops over experts."""
    experts = Experts(module)
    tokens, chosen = index.shape
    flat = index.reshape(-1)
    # A router may choose "no expert", which is numbered beyond the last one.
    rows = [(expert, (flat == expert).nonzero()[:, 0]) for expert in flat.unique().tolist() if expert < experts.count]
    activation = hidden.new_zeros(tokens * chosen, experts.width)
    for expert, where in rows:
        activation[where] = _activation(module, expert, hidden[where // chosen])
    observer = _observers.get(module)
    absent: Tensor | float = 0.0
    if observer is not None:
        coefficient = activation.view(tokens, chosen, -1) * weight[..., None]
        for round_ in observer.rounds:
            absent = absent + _rewrite(round_, observer, experts, index, weight, coefficient, activation)
        if observer.keep is not None:
            observer.keep.append(Routed(index, coefficient, weight))
    pieces = hidden.new_zeros(tokens * chosen, hidden.shape[-1])
    for expert, where in rows:
        piece = activation[where] @ experts.matrix(expert)
        bias = experts.bias(expert)
        pieces[where] = piece if bias is None else piece + bias
    out = (pieces * weight.reshape(-1, 1)).view(tokens, chosen, -1).sum(1)
    return (out + absent).to(hidden.dtype)


def _rewrite(
    round_: Round,
    observer: Observer,
    experts: Experts,
    index: Tensor,
    weight: Tensor,
    coefficient: Tensor,
    activation: Tensor,
) -> Tensor:
    """Rewrite coefficients (N, K, width) and activations (N · K, width) in place, where the expert was chosen.

    Returns:
        What the rewrites add for tokens that the router sent elsewhere: (N, hidden), or a zero.
    """
    tokens, chosen = index.shape
    length = tokens // observer.batch
    stop = observer.start + length
    if not round_.touches(observer.start, stop):
        return coefficient.new_zeros(())
    numbers = round_.numbers(coefficient)
    wanted, dimensions = numbers.experts, numbers.dimensions
    here = (index[:, :, None] == wanted) & (weight != 0)[:, :, None]  # (N, K, rewrites)
    old = (coefficient[:, :, dimensions] * here).sum(1)
    largest = coefficient.amax((1, 2)).view(observer.batch, length, 1) if round_.any_maximum else None
    mask = round_.mask(observer.batch, observer.start, stop)
    new = round_.changed(old.view(observer.batch, length, -1), largest, mask).reshape(old.shape)
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
