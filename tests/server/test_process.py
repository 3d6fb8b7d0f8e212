"""`lm-debugger serve` as a program, on the real demo model: start, kill, restart, leave, stop."""

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lm_debugger import Debugger
from lm_debugger.cli.app import main

from .live import Process, program, wait_until, wait_until_ready

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "http.md"
PROMPT = "It was the first time that two"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("program")


@pytest.fixture(scope="module")
def served(folder: Path, demo_cache: Path) -> Iterator[Process]:
    with program(folder / "names.db", "--port", "0") as found:
        yield found


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call it for what the program says when it cannot start. It ends before it serves: no process is needed."""

    def call(*arguments: str) -> str:
        assert main(("serve", "demo", "--no-browser", *arguments)) != 0
        return capfd.readouterr().err

    return call


def test_the_page_and_the_engine_agree_on_the_demo_model(served: Process, demo: Debugger) -> None:
    asked: dict[str, Any] = {"prompt": PROMPT, "interventions": ["L12D345=40"]}
    answer = served.client.post("/api/trace", json=asked).json()
    view = demo.trace(PROMPT, ["L12D345=40"]).view()
    assert [token["id"] for token in answer["output"]] == [token.id for token in view.output]
    assert answer["output"][0]["probability"] == pytest.approx(view.output[0].probability, rel=1e-3)
    assert answer["model"]["fingerprint"] == demo.summary.fingerprint


@pytest.mark.parametrize("clients", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_clients_at_once_get_bit_for_bit_what_each_gets_alone(served: Process, clients: int) -> None:
    asked = [
        {
            "prompt": ("The capital of France is", "My wife is")[i % 2],
            "interventions": [f"L{(7 * i) % 30}D{11 * i}={i - 15}", *([f"L{i % 30}D{i}*=-2@last"] if i % 3 else [])],
            "position": -1 - i % 3,
            "top_k": 1,
        }
        for i in range(clients)
    ]

    def ask(body: dict[str, Any]) -> httpx2.Response:
        return served.client.post("/api/trace", json=body, timeout=300)

    with ThreadPoolExecutor(clients) as pool:
        together = list(pool.map(ask, asked))
    assert [answer.status_code for answer in together] == [200] * clients
    # More runs than are kept lie between: each is a forward of its own again.
    alone = [ask(body) for body in asked]
    assert [answer.content for answer in alone] == [answer.content for answer in together]
    assert len({answer.content for answer in alone}) == clients


def test_a_client_that_leaves_a_stream_frees_the_model(served: Process) -> None:
    asked = {"prompt": PROMPT, "max_new_tokens": 1000, "stream": True}  # minutes
    with served.client.stream("POST", "/api/generate", json=asked) as answer:
        assert next(answer.iter_lines()) == "event: token"
    assert (
        served.client.post("/api/generate", json={"prompt": "one", "max_new_tokens": 1}, timeout=300).status_code == 200
    )


def test_a_client_that_breaks_off_does_no_harm(served: Process) -> None:
    host, port = served.client.base_url.host, served.client.base_url.port
    assert port is not None
    for sent in (
        b"",
        b"GET",
        b"POST /api/trace HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
        b"\x16\x03\x01",
    ):
        with socket.create_connection((host, port)) as connection:
            connection.sendall(sent)
    assert served.client.post("/api/trace", json={"prompt": PROMPT}).status_code == 200


def test_a_port_that_is_taken(served: Process, refused: Callable[..., str]) -> None:
    port = str(served.client.base_url.port)
    assert "is taken" in refused("--port", port)
    assert "no address of this machine" in refused("--host", "192.0.2.1")
    assert "--port is 70000" in refused("--port", "70000")


def test_a_database_of_a_kind_that_is_not_known(refused: Callable[..., str]) -> None:
    assert "not supported" in refused("--port", "0", "--database", "mysql://x/y")


def test_off_this_machine_it_prints_a_url_with_a_token(folder: Path, demo_cache: Path) -> None:
    with program(folder / "token.db", "--host", "0.0.0.0", "--port", "0", ready=False) as found:
        address, _, token = found.address.partition("?token=")
        assert len(token) >= 32
        assert httpx2.get(f"{address}api/health").status_code == 401
        sent = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{address}api/health", headers=sent).json()["status"] == "loading"
        assert "http-equiv" in httpx2.get(found.address).text
        # Ctrl-C while it loads.
        wait_until(lambda: httpx2.get(f"{address}api/health", headers=sent).json()["step"])
        status, err = found.interrupt()
        assert (status, err.count("\n")) == (0, 1)  # nothing but where the token was


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_of_the_documentation(served: Process) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 12
    for block in blocks:
        script = block.replace("http://127.0.0.1:8765", str(served.client.base_url).rstrip("/"))
        # The function that the page begins with.
        script = f'curl() {{ command curl --fail -H "Authorization: Bearer {served.token}" "$@"; }}\n{script}'
        ran = subprocess.run(["bash", "-ec", script], capture_output=True, encoding="utf-8", timeout=300, check=False)
        assert (ran.returncode, ran.stdout.startswith(("{", "event: "))) == (0, True), (block, ran.stderr)


def test_killed_and_started_again_it_keeps_names_and_runs(served: Process, folder: Path) -> None:
    """The last test of this file: it ends the server that the others use."""
    served.client.put("/api/values/L12D345/name", json={"name": "numbers", "note": "seen"})
    served.client.post("/api/runs", json={"prompt": PROMPT})
    served.kill()
    with program(folder / "names.db", "--port", str(served.client.base_url.port), ready=False) as second:
        assert second.client.get("/api/health").json()["status"] == "loading"
        wait_until_ready(second.client)
        assert second.client.get("/api/values/L12D345").json()["name"] == "numbers"
        assert second.client.get("/api/runs").json()["runs"][0]["prompt"] == PROMPT
        # Ctrl-C while somebody waits for a long answer.
        asked = {"prompt": PROMPT, "max_new_tokens": 1000, "stream": True}
        with second.client.stream("POST", "/api/generate", json=asked) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: token"
            status, err = second.interrupt()
            assert (status, err.count("\n")) == (0, 1)  # nothing but where the token was
            assert "event: result" in list(lines)
