"""Records every module call of a forward: order, nesting, and the streams at both ends (as copies)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from lm_debugger.engine.hooks import Hook, attached, input_of, output_of


@dataclass
class Call:
    """One call of one module.

    Args:
        path: the module's path below the root that was recorded.
        occurrence: which of that module's calls.
        start, end: order of events; a call encloses the calls between them.
        entered, left: copies of the stream before and after, or None where no stream enters or leaves.
        args, kwargs: the arguments themselves, to call the module again.
        mutated: whether the stream that left was changed in place afterwards.
    """

    path: str
    module: nn.Module
    occurrence: int
    start: int
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    entered: Tensor | None
    end: int = -1
    left: Tensor | None = None
    raw: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def encloses(self, other: "Call") -> bool:
        """Whether the other call happened within this one."""
        return self.start < other.start and other.end < self.end

    @property
    def mutated(self) -> bool:
        """Whether a stream at one of its ends was changed in place after it was seen."""
        return any(not seen.equal(kept) for seen, kept in self.raw)

    @property
    def input_width(self) -> int:
        """Channels of the stream that entered, 0 for none."""
        return 0 if self.entered is None else self.entered.shape[-1]


def record(root: nn.Module, run: Callable[[], Any], extra: tuple[Hook, ...] = ()) -> list[Call]:
    """Run and return every call of root's submodules (and of root itself, path ""), in order of their start.

    `extra` hooks run before the recording ones, so that what they change is what is recorded.
    """
    calls: list[Call] = []
    open_calls: list[Call] = []
    counts: dict[str, int] = {}
    clock = 0

    def watch(path: str, module: nn.Module) -> Hook:
        def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            nonlocal clock
            clock += 1
            stream = input_of(args, kwargs)
            call = Call(path, module, counts.get(path, 0), clock, args, kwargs, _copy(stream))
            if stream is not None and call.entered is not None:
                call.raw.append((stream, call.entered))
            counts[path] = call.occurrence + 1
            calls.append(call)
            open_calls.append(call)

        def after(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            nonlocal clock
            clock += 1
            call = open_calls.pop()
            stream = output_of(output)
            call.end, call.left = clock, _copy(stream)
            if stream is not None and call.left is not None:
                call.raw.append((stream, call.left))

        return Hook(module, before, after)

    with attached([*extra, *(watch(path, module) for path, module in root.named_modules())]):
        run()
    return calls


def _copy(stream: Tensor | None) -> Tensor | None:
    return None if stream is None else stream.detach().clone()
