"""A backward rule that hands relevance on instead of slopes: within it, a gradient is a sum of shares.

What saturates or competes is held as it is in the run, so that the network is a linear map with the run's own factors:

- a norm's scale, and whatever else one number multiplies many channels with, is frozen;
- attention weights (and a router's) are frozen;
- a product of two activations of one shape, a gated feed-forward's, gives half to each;
- an activation function is the factor that it has for its input (its value divided by its input).

Sources: Bach et al. 2015 (layer-wise relevance propagation); Achtibat et al. 2024 (arXiv 2402.05602, AttnLRP); Jafari
et al. 2025 (arXiv 2508.21258, relevance patching). The rules hold for torch's functions, whichever module calls them.
Not covered: products that change a tensor in place, and recurrences; there the plain slope stays.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.overrides import TorchFunctionMode

SMALL = 1e-12  # an input of which no share can be told


class Relevance(TorchFunctionMode):
    """While it is entered, what this thread differentiates follows the rules. Values stay the same."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """See `TorchFunctionMode`."""
        rule = RULES.get(getattr(func, "__name__", "")) if torch.is_grad_enabled() else None
        return func(*args, **kwargs or {}) if rule is None else rule(func, *args, **kwargs or {})


def _flows(value: Any) -> bool:
    """Whether a value is an activation that relevance goes through."""
    return isinstance(value, Tensor) and value.requires_grad and not isinstance(value, Parameter)


def _share(entered: Tensor, left: Tensor) -> Tensor:
    """What left, as the factor that it is of what entered."""
    factor = torch.where(entered.abs() > SMALL, left / entered, torch.zeros_like(left)).detach()
    return left.detach() + factor * (entered - entered.detach())


def _product(func: Callable[..., Any], one: Any, other: Any, **options: Any) -> Any:
    if not (_flows(one) and _flows(other)) or options:
        return func(one, other, **options)
    if one.shape != other.shape:
        large = one.numel() > other.numel()
        return func(one, other.detach()) if large else func(one.detach(), other)
    value = func(one, other).detach()
    return value + 0.5 * ((one - one.detach()) * other.detach() + (other - other.detach()) * one.detach())


def _quotient(func: Callable[..., Any], one: Any, other: Any, **options: Any) -> Any:
    return func(one, other.detach() if _flows(other) and _flows(one) else other, **options)


def _factor(func: Callable[..., Any], entered: Any, *rest: Any, **options: Any) -> Any:
    left = func(entered, *rest, **options)
    return _share(entered, left) if _flows(entered) and left.shape == entered.shape else left


def _frozen(func: Callable[..., Any], *args: Any, **options: Any) -> Any:
    found: Tensor = func(*args, **options)
    return found.detach()


def _attention(func: Callable[..., Any], query: Tensor, key: Tensor, *rest: Any, **options: Any) -> Any:
    return func(query.detach(), key.detach(), *rest, **options)


def _layer_norm(
    func: Callable[..., Any],
    entered: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *rest: Any,
) -> Any:
    left = func(entered, normalized_shape, weight, bias, eps, *rest)
    if not _flows(entered):
        return left
    axes = tuple(range(-len(tuple(normalized_shape)), 0))
    centre = entered - entered.mean(axes, keepdim=True)
    scale = (centre.detach().square().mean(axes, keepdim=True) + eps).rsqrt()
    moved = (centre - centre.detach()) * scale
    return left.detach() + (moved if weight is None else moved * weight.detach())


Rule = Callable[..., Any]
RULES: dict[str, Rule] = {
    **dict.fromkeys(("mul", "__mul__", "__rmul__", "multiply"), _product),
    **dict.fromkeys(("div", "__truediv__", "true_divide", "divide"), _quotient),
    **dict.fromkeys(("silu", "gelu", "mish", "softplus", "elu", "selu", "celu", "hardswish", "rms_norm"), _factor),
    **dict.fromkeys(("pow", "__pow__", "square"), _factor),
    **dict.fromkeys(("softmax", "sigmoid", "tanh", "erf", "hardsigmoid"), _frozen),
    "scaled_dot_product_attention": _attention,
    "layer_norm": _layer_norm,
}
"""By the names of torch's functions and methods. What is linear, or a rectifier, needs no rule."""
