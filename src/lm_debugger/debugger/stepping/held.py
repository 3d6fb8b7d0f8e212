"""Continuations kept between two tokens: each after one step of the tree, a bounded number of them."""

from collections import OrderedDict
from dataclasses import dataclass

from lm_debugger.engine.engine import Step, Steps

KEPT = 12  # for each session, if they fit
BYTES = 1 << 30  # that those of a session may hold together, but for the latest two


@dataclass(frozen=True)
class Held:
    """A continuation after a step, and what the step gave. The token that the step chose has not run yet."""

    steps: Steps
    last: Step


class HeldSteps:
    """Continuations by the id of the step that they come after. The oldest go first.

    Args:
        each: bytes that one holds at most.
    """

    def __init__(self, each: int) -> None:
        self._most = max(2, min(KEPT, BYTES // max(1, each)))
        self._held: OrderedDict[str, Held] = OrderedDict()

    def __contains__(self, step: str) -> bool:
        return step in self._held

    def __len__(self) -> int:
        return len(self._held)

    def keep(self, step: str, held: Held) -> None:
        """Keep a continuation."""
        self._held[step] = held
        self._held.move_to_end(step)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def get(self, step: str) -> Held | None:
        """A continuation, which must not be gone on with; see `take` and `Steps.fork`."""
        return self._held.get(step)

    def take(self, step: str) -> Held | None:
        """A continuation to go on with: it is not kept any more."""
        return self._held.pop(step, None)

    def drop(self, step: str) -> None:
        """Forget one."""
        self._held.pop(step, None)

    def clear(self) -> None:
        """Forget all."""
        self._held.clear()
