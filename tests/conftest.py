"""What every test may use: the real demo model, loaded once for a test run."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from lm_debugger.threads import wait_asleep

# Before torch is loaded: workers side by side share the cores, and so do the programs that they start.
wait_asleep()
workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if workers > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

if TYPE_CHECKING:
    from lm_debugger import Debugger

# No test depends on speed: on a machine that is busy with other things any example may take long.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, with nothing in it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LM_DEBUGGER_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def demo_cache() -> Path:
    """The demo model's folder in the user's own cache (LM_DEBUGGER_CACHE), fetched if it is not there."""
    from lm_debugger.source import demo

    return demo.folder()


@pytest.fixture(scope="session")
def demo(demo_cache: Path) -> "Debugger":
    """The demo model, ready to be debugged. Whoever changes it puts it back."""
    import lm_debugger

    return lm_debugger.load("demo")
