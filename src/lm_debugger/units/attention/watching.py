"""Attention that does not ask transformers' interface, seen in torch's functions: a softmax, and what it multiplies.

Inside a layer, the last softmax over positions whose result is then multiplied with a tensor is its attention: the
result is the weights, the tensor what is attended to. A fused attention's weights are computed beside it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lm_debugger.engine.hooks import Hook, attached

PRODUCTS = frozenset(("matmul", "__matmul__", "bmm"))
FUSED = "scaled_dot_product_attention"


class Seen(NamedTuple):
    """One layer's attention: weights (…, positions, attended to), values (…, attended to, width)."""

    weights: Tensor
    values: Tensor


class Watching(TorchFunctionMode):
    """While it is entered, the attention of watched layers is kept in `seen`, by their paths."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, Seen] = {}
        self._layer: str | None = None
        self._weights: Tensor | None = None

    @contextmanager
    def layers(self, modules: Iterable[tuple[str, nn.Module]]) -> Iterator[None]:
        """Know in which of some layers a forward is."""

        def enter(path: str, *_: Any) -> None:
            self._layer, self._weights = path, None

        def leave(*_: Any) -> None:
            self._layer = self._weights = None

        hooks = [Hook(module, before=partial(enter, path), after=leave) for path, module in modules]
        with attached(hooks), self:
            yield

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """See `TorchFunctionMode`."""
        found = func(*args, **kwargs or {})
        if self._layer is None:
            return found
        name = getattr(func, "__name__", "")
        if name == "softmax" and isinstance(found, Tensor) and found.dim() >= 3:  # rows, positions, attended to
            self._weights = found
        elif name in PRODUCTS and len(args) > 1 and self._is_weights(args[0]):
            self.seen[self._layer] = Seen(args[0], args[1])
        elif name == FUSED:
            self.seen[self._layer] = _beside(*args, **kwargs or {})
        return found

    def _is_weights(self, value: Any) -> bool:
        weights = self._weights
        return (
            weights is not None
            and isinstance(value, Tensor)
            and value.data_ptr() == weights.data_ptr()
            and value.shape[-2:] == weights.shape[-2:]
        )


def _beside(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # torch's own signature
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Seen:
    """The weights of a fused attention, as torch documents it."""
    if enable_gqa:
        key, value = (each.repeat_interleave(query.shape[1] // each.shape[1], 1) for each in (key, value))
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    if attn_mask is not None:
        bare = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, float("-inf")) if bare else scores + attn_mask
    return Seen(scores.softmax(-1), value)
