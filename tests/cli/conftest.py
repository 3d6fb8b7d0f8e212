"""Runs the real command line in this process."""

import pytest

import lm_debugger
from lm_debugger import Debugger
from lm_debugger.cli.app import main
from tests.cli.runner import Ran, Run, standard_input


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


@pytest.fixture
def run_demo(run: Run, demo: Debugger, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, with the demo model loaded once for all tests instead of once for each command."""
    load = lm_debugger.load

    def load_once(model: str, **options: object) -> Debugger:
        return demo if model == "demo" else load(model, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(lm_debugger, "load", load_once)
    return run
