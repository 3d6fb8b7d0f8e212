"""The runs that can still be read out, found by what a client asked for. Keeps none alive: the debugger does that.

That way a run is forgotten when the debugger drops it, as it does with all when a new calibration changes what `on`
means.
"""

import threading
import weakref
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lm_debugger.debugger.trace import Trace


class RunKey(NamedTuple):
    """A run as a client asks for it: a text or token ids, and edits in their canonical text."""

    prompt: str | tuple[int, ...]
    interventions: tuple[str, ...]


class Shelf:
    """Runs by their key. May be used from several threads."""

    def __init__(self) -> None:
        self._runs: weakref.WeakValueDictionary[RunKey, Trace] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def find(self, key: RunKey) -> "Trace | None":
        """The run, if it is still kept."""
        with self._lock:
            return self._runs.get(key)

    def put(self, key: RunKey, trace: "Trace") -> None:
        """Remember where a run is."""
        with self._lock:
            self._runs[key] = trace

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._runs.clear()
