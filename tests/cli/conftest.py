"""Runs the real command line in this process."""

import pytest

from lm_debugger.cli.app import main

from .runner import Ran, Run, standard_input


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call `run("trace", "text", …, stdin=b"", columns=80)`."""
    monkeypatch.delenv("LM_DEBUGGER_MODEL", raising=False)

    def call(*arguments: str, stdin: bytes = b"", columns: int = 120) -> Ran:
        monkeypatch.setenv("COLUMNS", str(columns))
        capfd.readouterr()
        with standard_input(stdin):
            status = main(arguments)
        return Ran(status, *capfd.readouterr())

    return call
