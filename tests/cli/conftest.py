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


class Remembering:
    """A debugger that computes what takes long once: a command's report and its `--json` ask it for the same."""

    LONG = frozenset({"bisect", "fix", "flow", "heads", "patch", "path_patch", "side_effects", "sweep", "why"})
    IDLE = frozenset({"progress", "cancel"})  # arguments that change no answer

    def __init__(self, debugger: Debugger) -> None:
        self._debugger = debugger
        self._known: dict[str, object] = {}

    def __getattr__(self, name: str) -> object:
        verb = getattr(self._debugger, name)
        if name not in self.LONG:
            return verb

        def ask(*asked: object, **options: object) -> object:
            key = repr((name, asked, sorted((k, v) for k, v in options.items() if k not in self.IDLE)))
            if key not in self._known:
                self._known[key] = verb(*asked, **options)
            return self._known[key]

        return ask


@pytest.fixture(scope="module")
def remembering(demo: Debugger) -> Remembering:
    return Remembering(demo)


@pytest.fixture
def run_demo(run: Run, remembering: Remembering, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, with the demo model loaded once for all tests instead of once for each command."""
    load = lm_debugger.load

    def load_once(model: str, **options: object) -> Debugger | Remembering:
        return remembering if model == "demo" else load(model, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(lm_debugger, "load", load_once)
    return run
