"""Leaves layers out of a forward whose outcome is known already. `model.resuming` finds out where that is right."""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from lm_debugger.engine.engine import Resume
from lm_debugger.engine.hooks import input_of
from lm_debugger.engine.instead import StandIn, instead

R = TypeVar("R")


def leaving_out(resume: Resume | None, module: Callable[[str], nn.Module], forward: Callable[[], R]) -> R:
    """Run a forward in which the layers below hand on what they get, and the last of them gives the known stream."""
    if resume is None:
        return forward()
    last = resume.below[-1]
    given = {module(path): _handing_on(resume.stream if path == last else None, resume.items) for path in resume.below}
    return instead(given, forward)


def _handing_on(given: Tensor | None, items: int) -> StandIn:
    def stand_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        stream = input_of(args, kwargs)
        assert stream is not None  # `model.resuming` has tried it
        if given is not None:
            stream = given.to(stream).expand_as(stream).contiguous()
        return (stream, *[None] * (items - 1)) if items else stream

    return stand_in
