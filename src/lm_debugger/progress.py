"""How long work reports where it is and is asked to stop. Knows nothing of who listens."""

import threading
from typing import Protocol

from lm_debugger.errors import CancelledError


class Progress(Protocol):
    """Called now and then by long work, from the thread that does it."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Say that `done` of `total` units of `step` are finished (total 0: length unknown)."""


def silent(step: str, done: int, total: int) -> None:
    """The progress that says nothing."""


def stop_if_cancelled(cancel: threading.Event | None) -> None:
    """Raise CancelledError if the caller has set the event."""
    if cancel is not None and cancel.is_set():
        raise CancelledError("Stopped as asked.")
