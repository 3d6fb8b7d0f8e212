"""Servers for tests: an app in this process behind a real socket, and `lm-debugger serve` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from lm_debugger.debugger.session import Debugger
from lm_debugger.server.app import create_app
from lm_debugger.server.door import FOLDER_VARIABLE
from lm_debugger.server.listen import configuration, open_port
from lm_debugger.server.settings import Settings
from lm_debugger.server.worker import Opener
from lm_debugger.work import Progress
from tests import tiny

BASE = "http://127.0.0.1:8765"
PROGRAM = (sys.executable, "-c", "import sys; from lm_debugger.cli.app import main; sys.exit(main())", "serve")


def tiny_app(folder: Path, model_type: str = "llama", other: Opener | None = None, **settings: Any) -> FastAPI:
    """An app on a tiny model of its own, without a web page; perhaps with another model."""

    def opener(_: Progress) -> Debugger:
        return tiny.debugger(model_type)

    chosen = Settings(database=str(folder / "test.db"), **settings)
    return create_app(chosen, opener, static=folder / "no page", other=other)


def wait_until(true: Callable[[], object], seconds: float = 120) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def wait_until_ready(client: Any, seconds: float = 300) -> None:
    """Wait for the model. On a busy machine a server of little patience may end a request that it has not seen yet."""

    def status() -> str:
        try:
            return str(client.get("/api/health").json()["status"])
        except httpx2.TransportError:
            return "loading"

    wait_until(lambda: status() != "loading", seconds)
    assert client.get("/api/health").json()["status"] == "ready"


@contextmanager
def behind_socket(app: FastAPI, token: str | None = None) -> Iterator[httpx2.Client]:
    """The app behind a real socket, served by a thread; only there can a client go away."""
    listener = open_port("127.0.0.1", 0, exactly=True)
    server = uvicorn.Server(configuration(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx2.Client(base_url=address, timeout=300, headers=bearer(token)) as client:
            wait_until_ready(client)
            yield client
    finally:
        server.should_exit = True
        thread.join(120)
        listener.close()


def bearer(token: str | None) -> dict[str, str]:
    """The header with which a client says the token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@dataclass
class Process:
    """A running `lm-debugger serve`; its client says the token."""

    process: "subprocess.Popen[str]"
    address: str
    token: str | None
    client: httpx2.Client

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C: its exit status and what it wrote to standard error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, err


@contextmanager
def program(
    database: Path, *arguments: str, ready: bool = True, browser: bool = False, **more: str
) -> Iterator[Process]:
    """Run `lm-debugger serve` on the demo model; `more` are environment variables."""
    servers = str(database.parent / "servers")
    environment = os.environ | {"LM_DEBUGGER_DATABASE": str(database), FOLDER_VARIABLE: servers} | more
    environment.pop("LM_DEBUGGER_TOKEN", None)
    process = subprocess.Popen(
        [*PROGRAM, "demo", *([] if browser else ["--no-browser"]), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        address, _, token = found[0].partition("?token=")
        with httpx2.Client(base_url=address, timeout=300, headers=bearer(token or None)) as client:
            running = Process(process, found[0], token or None, client)
            if ready:
                wait_until_ready(client)
            yield running
    finally:
        process.kill()
        process.communicate()


def error(response: Any) -> dict[str, str]:
    """The error of a response; fails unless it has exactly the one shape."""
    body = response.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "what", "cure"]
    assert all(isinstance(value, str) for value in body["error"].values())
    assert body["error"]["what"]
    assert "Traceback" not in response.text
    found: dict[str, str] = body["error"]
    return found
