"""How long work reports where it is and is asked to stop: goes as soon as everything takes `Work`."""

import threading

from lm_debugger.work import (
    Progress,  # noqa: F401
    Work,
    silent,  # noqa: F401
)


def stop_if_cancelled(cancel: threading.Event | None) -> None:
    """Raise CancelledError if the caller has set the event."""
    Work(cancel=cancel).go_on()
