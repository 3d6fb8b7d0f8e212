"""How long work tells how far it is and is told to stop: one value, handed down to whatever takes long."""

import threading
from dataclasses import dataclass
from typing import Protocol

from lm_debugger.errors import CancelledError


class Progress(Protocol):
    """Called now and then by long work, from the thread that does it."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Say that `done` of `total` units of `step` are finished (total 0: length unknown)."""


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Work:
    """A piece of work that may take long.

    Args:
        progress: told the step, how much of it is done and the total (0: length unknown).
        cancel: set by whoever wants the work to stop.
    """

    progress: Progress = silent
    cancel: threading.Event | None = None

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Say how far the work is.

        Raises:
            CancelledError: if the work is to stop.
        """
        self.go_on()
        self.progress(step, done, total)

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self.cancel is not None and self.cancel.is_set()

    def go_on(self) -> None:
        """Raise CancelledError if the work is to stop."""
        if self.cancelled:
            raise CancelledError("Stopped as asked.")


UNWATCHED = Work()
