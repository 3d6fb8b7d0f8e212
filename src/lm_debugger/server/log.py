"""Keeps the log small whatever clients send: long lines are cut, and of many lines a minute the rest are counted.

Knows nothing of what is logged.
"""

import logging
import threading
import time

LOGGERS = ("lm_debugger.server", "uvicorn.error", "asyncio")
LINES = 30  # in a minute, of each logger
CHARACTERS = 2000  # of a line; a traceback is as long as it is

_MINUTE = 60.0


class Limit(logging.Filter):
    """At most LINES records a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._began = -_MINUTE
        self._written = 0
        self._dropped = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a record through, cut; or count it."""
        with self._lock:
            now = time.monotonic()
            if now - self._began >= _MINUTE:
                self._began, self._written, dropped, self._dropped = now, 0, self._dropped, 0
            else:
                dropped = 0
            if self._written >= LINES:
                self._dropped += 1
                return False
            self._written += 1
        text = _one_line(record.getMessage())
        if dropped:
            text = f"{text} ({dropped} more lines before were left out)"
        record.msg, record.args = text, None
        return True


def limit() -> None:
    """Limit what a server writes. Calling it again changes nothing."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(found, Limit) for found in logger.filters):
            logger.addFilter(Limit())


def _one_line(text: str) -> str:
    """A message that cannot pretend to be several, nor steer the terminal that shows it."""
    from lm_debugger.records.visible import printable

    shown = printable(text[: CHARACTERS + 1].rstrip()).replace("\n", "↵")
    return shown if len(text) <= CHARACTERS else f"{shown[:CHARACTERS]}…"
