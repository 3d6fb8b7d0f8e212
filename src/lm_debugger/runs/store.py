"""The one store of runs: bounded, safe for threads. A run is found by its spec, as long as the weights are the same."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from lm_debugger.runs.kept import KeptRun
from lm_debugger.runs.spec import RunSpec

RUNS = 8  # kept at least, if they fit
BYTES = 4 << 30  # that kept runs may hold together

R = TypeVar("R", bound=KeptRun)


class RunStore(Generic[R]):
    """Runs by spec. The oldest go when there are too many, or they hold too much.

    Args:
        runs: how many to keep at least, whatever they hold: the last that were asked for together are always kept.
        memory: bytes that all may hold together beyond that.
    """

    def __init__(self, runs: int = RUNS, memory: int = BYTES) -> None:
        self._runs: OrderedDict[RunSpec, R] = OrderedDict()
        self._state: Hashable = None
        self._most = runs
        self._memory = memory
        self._lock = threading.Lock()

    def find(self, spec: RunSpec, state: Hashable) -> R | None:
        """The run, if it is kept and was made in this state of the engine."""
        with self._lock:
            self._in(state)
            found = self._runs.get(spec)
            if found is not None:
                self._runs.move_to_end(spec)
            return found

    def all(
        self, specs: Iterable[RunSpec], state: Hashable, make: Callable[[Sequence[RunSpec]], Sequence[R]]
    ) -> list[R]:
        """All of the runs: those that are kept, and those that have to be made, which are made together."""
        specs = list(specs)
        found: dict[RunSpec, R] = {}
        for spec in specs:
            kept = self.find(spec, state)
            if kept is not None:
                found[spec] = kept
        missing = [spec for spec in dict.fromkeys(specs) if spec not in found]
        if missing:
            found |= zip(missing, make(missing), strict=True)
            with self._lock:
                self._in(state)
                self._runs |= {spec: found[spec] for spec in missing}
                self._shrink(len(found))
        return [found[spec] for spec in specs]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._runs.clear()

    def _in(self, state: Hashable) -> None:
        """Forget what was made in another state."""
        if self._state != state:
            self._runs.clear()
            self._state = state

    def _shrink(self, needed: int) -> None:
        while len(self._runs) > 2 * needed and (len(self._runs) > self._most or self._held() > self._memory):
            self._runs.popitem(last=False)

    def _held(self) -> int:
        """Bytes that the runs hold together: rows of one forward share theirs."""
        return sum({run.batch: run.memory for run in self._runs.values()}.values())
