"""A step taken again in part: what modules gave is kept and given again, with what they left in the cache.

Only for networks whose cache is transformers', layer by layer, and only where it was tried (see `reenter`).
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import nn

from lm_debugger.engine.hooks import Hook, attached
from lm_debugger.engine.instead import StandIn, instead

R = TypeVar("R")

CACHES = ("cache", "past_key_values")  # what outputs call it, in newer and older versions of transformers


def recording(modules: Mapping[str, nn.Module], kept: dict[str, Any], forward: Callable[[], R]) -> R:
    """Run a forward and keep what modules give in it, as it is."""

    def hook(path: str, module: nn.Module) -> Hook:
        def after(_: nn.Module, __: Any, ___: Any, output: Any) -> None:
            kept[path] = output

        return Hook(module, None, after)

    with attached([hook(path, module) for path, module in modules.items()]):
        return forward()


def skipping(given: Mapping[nn.Module, Any], forward: Callable[[], R]) -> R:
    """Run a forward in which modules give what they are said to give instead of computing it."""

    def giving(output: Any) -> StandIn:
        return lambda _, __: output

    return instead({module: giving(output) for module, output in given.items()}, forward)


def adopt(outputs: Mapping[str, Any], others: Mapping[str, Any], count: int) -> None:
    """Have the first layers of one cache in another, copied: those whose modules did not run."""
    layers, other = _layers(outputs), _layers(others)
    if layers is None or other is None:
        return
    for place in range(min(count, len(layers), len(other))):
        layers[place] = copy.deepcopy(other[place])


def _layers(outputs: Mapping[str, Any]) -> list[Any] | None:
    """A cache's layers, where it has such."""
    cache = next((outputs[name] for name in CACHES if name in outputs.keys()), None)  # noqa: SIM118  # old names warn
    layers = getattr(cache, "layers", None)
    return layers if isinstance(layers, list) else None
