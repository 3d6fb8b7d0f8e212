"""How long work reports where it is and is asked to stop: goes as soon as everything takes `Work`."""

import threading

from lm_debugger.work import Progress, Work, silent

__all__ = ["Progress", "silent", "stop_if_cancelled"]


def stop_if_cancelled(cancel: threading.Event | None) -> None:
    """Raise CancelledError if the caller has set the event."""
    Work(cancel=cancel).go_on()
