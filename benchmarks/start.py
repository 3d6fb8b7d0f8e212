"""How soon the command line answers."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import Result, seconds

_PROGRAM = (sys.executable, "-c", "import sys; from lm_debugger.cli.app import main; sys.exit(main())", "--help")


def results() -> Iterator[Result]:
    """The figures."""
    best = min(seconds(lambda: subprocess.run(_PROGRAM, check=True, capture_output=True)) for _ in range(5))
    yield Result("lm-debugger --help", f"{best * 1000:.0f} ms", "≤ 500 ms", best <= 0.5)
