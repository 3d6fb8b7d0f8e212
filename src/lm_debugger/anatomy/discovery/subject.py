"""One layer on the bench: a float32 copy, run on a random stream, with changes made to chosen outputs.

A random stream because real residual streams have outliers that hide errors, float32 because bfloat16 does
(docs/method.md, "The anatomy is measured").
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map
from transformers import Cache

from lm_debugger.anatomy.discovery.record import Call, record
from lm_debugger.engine.hooks import Hook, attached, input_of, output_of, with_input, with_output


def flat(stream: Tensor) -> Tensor:
    """A stream as (tokens, channels), float32, on the CPU."""
    return stream.detach().reshape(-1, stream.shape[-1]).float().cpu()


class Subject:
    """A float32 copy of the layer of a recorded call.

    Args:
        call: a call of the layer in a forward of the whole model.
    """

    def __init__(self, call: Call, length: int) -> None:
        assert call.entered is not None
        self.layer = copy.deepcopy(call.module).float().requires_grad_(False)
        self.length = length
        self.hidden = call.entered.shape[-1]
        self._args, self._kwargs = tree_map(_exact, (call.args, call.kwargs))
        generator = torch.Generator().manual_seed(2)
        self.stream = torch.randn(call.entered.shape, generator=generator).to(call.entered.device)
        self.calls = self.run()

    def run(self, changed: Call | None = None, change: Tensor | None = None) -> list[Call]:
        """Every call of one run, the layer's own first; `change` is added to what leaves the call `changed`."""
        extra: tuple[Hook, ...] = ()
        if changed is not None and change is not None:
            extra = (_adding(changed, change),)
        args, kwargs = with_input(self._args, dict(self._kwargs), self.stream)
        with torch.no_grad():
            return record(self.layer, lambda: self.layer(*args, **kwargs), extra)

    def differentiable(self, target: Call, maps: list[Call]) -> tuple[Tensor, list[Tensor]]:
        """What enters a call (tokens, channels) and what leaves others, joined by their derivatives.

        Calls whose output has no derivative are left out.
        """
        entered: list[Tensor] = []
        left: list[Tensor] = []

        def enters(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            stream = input_of(args, kwargs)
            assert stream is not None
            entered.append(stream.reshape(-1, stream.shape[-1]))

        def leaves(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            stream = output_of(output)
            if stream is not None and stream.requires_grad:
                left.append(stream)

        modules = {call.module for call in maps}
        hooks = [Hook(target.module, before=enters), *(Hook(module, after=leaves) for module in modules)]
        with torch.enable_grad():
            stream = self.stream.clone().requires_grad_() * 1  # a leaf may not be changed in place
            args, kwargs = with_input(self._args, dict(self._kwargs), stream)
            with attached(hooks):
                self.layer(*args, **kwargs)
        return entered[target.occurrence], left

    def mixes(self, call: Call) -> bool:
        """Whether the module lets a token see an earlier one: position 0 is changed, later ones are watched.

        A module that cannot be called again by itself is judged by whether it receives a mask or positions.
        """
        if call.entered is None or call.left is None:
            return False
        entered = call.entered.clone()
        if self.length not in entered.shape[:2] or self.length not in call.left.shape[:2]:
            return False
        axis = entered.shape.index(self.length)
        entered.select(axis, 0).mul_(-1.5).add_(0.5)
        try:
            args, kwargs = with_input(call.args, dict(call.kwargs), entered)
            with torch.no_grad():
                left = output_of(call.module(*args, **kwargs))
        except Exception:  # noqa: BLE001  # any failure of a foreign module out of context means: cannot tell so
            left = None
        if left is None or left.shape != call.left.shape:
            return any(call.kwargs.get(name) is not None for name in ("attention_mask", "position_embeddings"))
        out_axis = left.shape.index(self.length)
        later = (left - call.left).narrow(out_axis, 1, self.length - 1)
        return bool(later.abs().max() > 1e-5 * call.left.abs().max())


def _adding(changed: Call, change: Tensor) -> Hook:
    count = 0

    def after(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        nonlocal count
        count += 1
        if count - 1 != changed.occurrence:
            return None
        stream = output_of(output)
        assert stream is not None
        return with_output(output, stream + change.reshape(stream.shape).to(stream))

    return Hook(changed.module, after=after)


def _exact(value: object) -> object:
    if isinstance(value, Cache):
        return None  # it would grow with every run
    return value.detach().float() if isinstance(value, Tensor) and value.is_floating_point() else value
