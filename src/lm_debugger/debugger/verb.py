"""What every verb of a debugger begins with."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from lm_debugger.engine.guard import exact


class Current(Protocol):
    """What knows whether its model has changed."""

    def refresh(self) -> None:
        """Take note of changed weights."""


S = TypeVar("S", bound=Current)
P = ParamSpec("P")
R = TypeVar("R")


def verb(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that answers for the weights as they are now, in the model's own dtype whatever its caller is under."""

    @wraps(method)
    def begun(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.refresh()
        return method(self, *args, **kwargs)

    return exact(begun)
