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

from lm_debugger.model.rewrite import Round
from lm_debugger.model.weights import Experts

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
    """Every chosen expert's activation, down projection and router weight, in a plain loop over the experts."""
    experts = Experts(module)
    tokens, chosen = index.shape
    flat = index.reshape(-1)
    activation = hidden.new_zeros(tokens * chosen, experts.width)
    pieces = hidden.new_zeros(tokens * chosen, hidden.shape[-1])
    for expert in flat.unique().tolist():
        if expert >= experts.count:  # a router may choose "no expert"
            continue
        where = (flat == expert).nonzero()[:, 0]
        inner = _activation(module, expert, hidden[where // chosen])
        piece = inner @ experts.matrix(expert)
        bias = experts.bias(expert)
        activation[where] = inner
        pieces[where] = piece if bias is None else piece + bias
    out = (pieces * weight.reshape(-1, 1)).view(tokens, chosen, -1).sum(1)
    observer = _observers.get(module)
    if observer is None:
        return out.to(hidden.dtype)
    coefficient = activation.view(tokens, chosen, -1) * weight[..., None]
    for round_ in observer.rounds:
        out = out + _rewrite(round_, observer, experts, index, coefficient)
    if observer.keep is not None:
        observer.keep.append(Routed(index, coefficient, weight))
    return out.to(hidden.dtype)


def _rewrite(round_: Round, observer: Observer, experts: Experts, index: Tensor, coefficient: Tensor) -> Tensor:
    """What the rewrites add to the output (N, hidden); `coefficient` is updated in place where experts are routed."""
    tokens = index.shape[0]
    length = tokens // observer.batch
    stop = observer.start + length
    if not round_.touches(observer.start, stop):
        return coefficient.new_zeros(())
    wanted, dimensions = round_.experts.to(index.device), round_.dimensions.to(index.device)
    routed = index[:, :, None] == wanted  # (N, K, rewrites)
    here = coefficient[:, :, dimensions] * routed
    old = here.sum(1)
    largest = coefficient.amax((1, 2)).view(observer.batch, length, 1) if round_.any_maximum else None
    shape = (observer.batch, length, -1)
    mask = round_.mask(observer.batch, observer.start, stop)
    new = round_.changed(old.view(shape), largest, mask).reshape(old.shape)
    for column, dimension in enumerate(dimensions.tolist()):
        slot = routed[:, :, column]
        coefficient[:, :, dimension] = torch.where(slot, new[:, column, None], coefficient[:, :, dimension])
    vectors = torch.stack([experts.matrix(e)[d] for e, d in zip(wanted.tolist(), dimensions.tolist(), strict=True)])
    return (new - old).to(vectors.dtype) @ vectors


ALL_EXPERTS_FUNCTIONS.register(IMPLEMENTATION, _forward)
