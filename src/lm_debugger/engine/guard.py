"""One forward at a time on a network, run as the model itself is: eval mode, no autocast, nothing compiled.

The lock belongs to the network, not to who asks: two debuggers on one network take turns. It is held during a forward
only, so that a paused generation holds nothing. Whoever asks from within a forward (from a hook) is refused, because
the forward under way could not tell the two apart.

Plain functions that are given what to do, not context managers: what those leave undone when an interruption hits
them on their way out, nothing would make good.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

from lm_debugger.engine.state import modules
from lm_debugger.errors import ReentryError

P = ParamSpec("P")
R = TypeVar("R")


class _Turn:
    """Whose turn it is on one network."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.running = False


_turns: WeakKeyDictionary[nn.Module, _Turn] = WeakKeyDictionary()
_making = threading.Lock()


def _turn(network: nn.Module) -> _Turn:
    with _making:
        return _turns.setdefault(network, _Turn())


def alone(network: nn.Module, work: Callable[[], R]) -> R:
    """Do something while nobody else of this program's debuggers runs the network, or reads what calls its modules.

    Raises:
        ReentryError: if this thread is in the middle of a forward of the network that a debugger runs.
    """
    turn = _turn(network)
    with turn.lock:
        if turn.running:
            raise ReentryError(
                "The model is in the middle of a forward that a debugger runs.",
                "Call the debugger after the forward, not from a hook inside it.",
            )
        return work()


def running(network: nn.Module, forward: Callable[[], R]) -> R:
    """Run the network, as the model itself is."""
    turn = _turn(network)

    def go() -> R:
        try:
            turn.running = True
            return plain(network, forward)
        finally:
            turn.running = False

    return alone(network, go)


def plain(network: nn.Module, work: Callable[[], R]) -> R:
    """Have the modules that are called compute what the model computes in use, whatever its user is doing with it."""
    dynamo = "torch._dynamo" in sys.modules
    training, compiled = [], False
    for module in modules(network):
        if module.training:
            training.append(module)
        if dynamo and (module._compiled_call_impl is not None or "forward" in module.__dict__):
            compiled = True
    device = next((parameter.device.type for parameter in network.parameters()), "cpu")
    with ExitStack() as stack:
        if torch.is_autocast_enabled(device):
            stack.enter_context(torch.autocast(device, enabled=False))
        if compiled:  # compiled code was made without our hooks and would not call them
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            for module in training:
                module.training = False
            return work()
        finally:
            for module in training:
                module.training = True


@contextmanager
def ordinary() -> Iterator[None]:
    """What is computed in the block has its own dtype and can be differentiated, whatever modes the caller is in."""
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


def exact(verb: Callable[P, R]) -> Callable[P, R]:
    """Makes a function compute as ever also where its caller is under autocast, `no_grad` or `inference_mode`."""

    @wraps(verb)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with ordinary():
            return verb(*args, **kwargs)

    return inside
