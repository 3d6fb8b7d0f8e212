"""Runs a small program of somebody else's, such as a chat template, for so long and no longer. Knows no templates.

Jinja compiles a template to Python, so it can be stopped from within: a trace function, which Python calls at each
line of this thread alone, looks at the clock.

What is not covered: one step that takes long by itself, or takes much memory. Jinja's sandbox bounds ranges, and a
model whose template means harm is no model to load.
"""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

SECONDS = 5.0

T = TypeVar("T")


class TemplateTimeError(BaseException):
    """It took too long. No `Exception`, so that the program cannot go on by catching it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def within_seconds(work: Callable[[], T], seconds: float = SECONDS) -> T:
    """What the work returns.

    Raises:
        TemplateTimeError: if it takes longer.
    """
    end = time.monotonic() + seconds

    def look(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.monotonic() > end:
            raise TemplateTimeError(seconds)
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        return work()
    finally:
        sys.settrace(before)
