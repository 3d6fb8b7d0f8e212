"""What is attacked: the program on the demo model, as a user starts it, and a tiny model behind a real socket."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server.live import Process, behind_socket, program, tiny_app

TOKEN = "s3cret-t0ken"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, demo_cache: Path) -> Iterator[Process]:
    """`lm-debugger serve demo`, which no attack may have ended when the last test is over."""
    with program(tmp_path_factory.mktemp("served") / "kept.db", "--port", "0") as found:
        yield found
        assert found.process.poll() is None
        assert found.client.post("/api/trace", json={"prompt": "My wife is"}).status_code == 200


@pytest.fixture(scope="module")
def tiny_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A tiny model's server that asks for a token; the client says it."""
    with behind_socket(tiny_app(tmp_path_factory.mktemp("tiny"), token=TOKEN), TOKEN) as found:
        yield found
