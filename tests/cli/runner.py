"""What a run of the command line leaves behind, and running it as a program of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PROMPT = "My wife is working as a"
PROGRAM = (sys.executable, "-c", "import sys; from lm_debugger.cli.app import main; sys.exit(main())")


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; fails unless it is exactly one value."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@contextmanager
def standard_input(data: bytes) -> Iterator[None]:
    """Give the process another standard input."""
    kept, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
    try:
        yield
    finally:
        sys.stdin = kept


def program(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `lm-debugger` as a process, its output piped."""
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, encoding="utf-8", env=os.environ | environment, check=False
    )
