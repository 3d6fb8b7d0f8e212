"""Leaves layers out of a forward whose outcome is known already. `model.resuming` finds out where that is right.

The layers' own `forward` is replaced for the length of one forward, in the thread that asks: neither the hooks nor the
weights of what lies inside are touched.
"""

from collections.abc import Callable
from threading import get_ident
from typing import Any, TypeVar

from torch import Tensor, nn

from lm_debugger.engine.engine import Resume
from lm_debugger.engine.hooks import input_of

R = TypeVar("R")


def leaving_out(resume: Resume | None, module: Callable[[str], nn.Module], forward: Callable[[], R]) -> R:
    """Run a forward in which the layers below hand on what they get, and the last of them gives the known stream."""
    if resume is None:
        return forward()
    kept: list[tuple[nn.Module, Callable[..., Any] | None]] = []
    try:
        for path in resume.below:
            layer = module(path)
            kept.append((layer, layer.__dict__.get("forward")))
            given = resume.stream if path == resume.below[-1] else None
            layer.__dict__["forward"] = _stub(layer.forward, given, resume.items)
        return forward()
    finally:
        for layer, own in reversed(kept):
            if own is None:
                layer.__dict__.pop("forward", None)
            else:
                layer.__dict__["forward"] = own


def _stub(forward: Callable[..., Any], given: Tensor | None, items: int) -> Callable[..., Any]:
    owner = get_ident()

    def instead(*args: Any, **kwargs: Any) -> Any:
        if get_ident() != owner:
            return forward(*args, **kwargs)
        stream = input_of(args, kwargs)
        assert stream is not None  # `model.resuming` has tried it
        if given is not None:
            stream = given.to(stream).expand_as(stream).contiguous()
        return (stream, *[None] * (items - 1)) if items else stream

    return instead
