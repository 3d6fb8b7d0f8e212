"""The only place that registers hooks. They never outlive the `with` block, also when the forward raises.

A hook acts only in the thread that attached it: a forward that somebody else runs meanwhile does not see it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, NamedTuple, TypeGuard

from torch import Tensor, nn

Before = Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]] | None]
After = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], Any]


class Hook(NamedTuple):
    """Functions to call before and after one module's forward."""

    module: nn.Module
    before: Before | None = None
    after: After | None = None


class _Ours:
    """A function that is a hook for the thread that made it."""

    __slots__ = ("function", "owner")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.owner = get_ident()

    def __call__(self, *call: Any) -> Any:
        return self.function(*call) if get_ident() == self.owner else None


def is_ours(hook: object) -> TypeGuard[_Ours]:
    """Whether a function on a module is a hook that was attached here, by any thread."""
    return isinstance(hook, _Ours)


@contextmanager
def attached(hooks: Iterable[Hook]) -> Iterator[None]:
    """Keep the hooks on their modules for the length of the block, in the order given."""
    handles = []
    modules = []
    clean = False
    try:
        for hook in hooks:
            modules.append(hook.module)
            if hook.before is not None:
                handles.append(hook.module.register_forward_pre_hook(_Ours(hook.before), with_kwargs=True))
            if hook.after is not None:
                handles.append(hook.module.register_forward_hook(_Ours(hook.after), with_kwargs=True))
        yield
        for handle in handles:
            handle.remove()
        clean = True
    finally:
        if not clean:
            sweep(modules)


def sweep(modules: Iterable[nn.Module]) -> None:
    """Take the hooks of this thread off modules, wherever an interruption left them."""
    me = get_ident()
    for module in modules:
        for hooks in (module._forward_pre_hooks, module._forward_hooks):
            for key, function in list(hooks.items()):
                if is_ours(function) and function.owner == me:
                    hooks.pop(key, None)
                    module._forward_pre_hooks_with_kwargs.pop(key, None)
                    module._forward_hooks_with_kwargs.pop(key, None)


def is_stream(value: object) -> bool:
    """Whether the value is a floating-point tensor with a channel axis."""
    return isinstance(value, Tensor) and value.is_floating_point() and value.dim() >= 2


def input_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The stream that enters a module: its first floating-point tensor argument, or None."""
    for value in (*args, kwargs.get("hidden_states"), *kwargs.values()):
        if is_stream(value):
            return value  # type: ignore[no-any-return]  # narrowed by is_stream
    return None


def with_input(args: tuple[Any, ...], kwargs: dict[str, Any], stream: Tensor) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same arguments with the stream that `input_of` finds replaced."""
    for index, value in enumerate(args):
        if is_stream(value):
            return (*args[:index], stream, *args[index + 1 :]), kwargs
    if is_stream(kwargs.get("hidden_states")):
        return args, {**kwargs, "hidden_states": stream}
    for name, value in kwargs.items():
        if is_stream(value):
            return args, {**kwargs, name: stream}
    raise ValueError("no stream among the arguments")


def output_of(output: Any) -> Tensor | None:
    """The stream that leaves a module: its output, or the first floating-point tensor in it, or None."""
    if is_stream(output):
        return output  # type: ignore[no-any-return]  # narrowed by is_stream
    values = output.values() if isinstance(output, dict) else output if isinstance(output, tuple | list) else ()
    return next((value for value in values if is_stream(value)), None)


def with_output(output: Any, stream: Tensor) -> Any:
    """The same output with the stream that `output_of` finds replaced."""
    if isinstance(output, Tensor):
        return stream
    if isinstance(output, dict):
        name = next(name for name, value in output.items() if is_stream(value))
        changed = output.copy()
        changed[name] = stream
        return changed
    index = next(index for index, value in enumerate(output) if is_stream(value))
    return type(output)((*output[:index], stream, *output[index + 1 :]))
