"""Many clients of one model: each gets its own numbers; who leaves frees the worker; a full queue says so."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lm_debugger.errors import MemoryLimitError
from lm_debugger.server.lane import Lane
from lm_debugger.server.settings import Limits
from lm_debugger.server.worker import ModelWorker
from tests import tiny

from .live import behind_socket, error, tiny_app, wait_until

WORD = {"prompt": "w5 w9"}
WAITING = 3


class Live:
    """A served app with access to its worker."""

    def __init__(self, client: httpx2.Client, worker: ModelWorker) -> None:
        self.client = client
        self.worker = worker

    def waiting(self) -> int:
        return int(self.client.get("/api/health").json()["queue"]["waiting"])

    def post(self, path: str, body: Any) -> httpx2.Response:
        return self.client.post(f"/api/{path}", json=body)

    def occupy(self) -> threading.Event:
        """Keep the model busy until the event is set."""
        go_on, begun = threading.Event(), threading.Event()
        self.worker.submit_forward(lambda _, __: (begun.set(), go_on.wait(600)))
        assert begun.wait(120)
        return go_on


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    app = tiny_app(tmp_path_factory.mktemp("live"), limits=Limits(waiting=WAITING, new_tokens=100_000))
    with behind_socket(app) as client:
        yield Live(client, app.state.services.worker)


@pytest.fixture(autouse=True)
def _the_model_still_answers(live: Live) -> Iterator[None]:
    yield
    wait_until(lambda: live.waiting() == 0)
    assert live.post("trace", WORD).status_code == 200


def test_thirty_two_clients_get_what_each_gets_alone(tmp_path: Path) -> None:
    asked = [
        {
            "prompt": f"w{5 + i % 3} w9 w17 w{20 + i % 5}",
            "interventions": [f"L{i % 3}D{i}={i / 4}", *(["L1D40=off@last"] if i % 2 else [])],
            "position": i % 4,
        }
        for i in range(32)
    ]
    engine = tiny.debugger("llama")
    expected = [
        json.loads(engine.trace(a["prompt"], a["interventions"]).view(a["position"]).model_dump_json())  # type: ignore[arg-type]
        for a in asked
    ]
    with behind_socket(tiny_app(tmp_path)) as client, ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda a: client.post("/api/trace", json=a).json(), asked * 3))
        while (health := client.get("/api/health").json())["queue"]["waiting"]:
            assert health["status"] == "ready"
    assert [difference(*pair) for pair in zip(answers, expected * 3, strict=True)] == [""] * 96


def difference(found: Any, expected: Any, place: str = "") -> str:
    """Where two JSON values first differ, and how; "" if they are equal."""
    if found == expected:
        return ""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        return next(d for key in found if (d := difference(found[key], expected[key], f"{place}.{key}")))
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return next(d for i in range(len(found)) if (d := difference(found[i], expected[i], f"{place}[{i}]")))
    return f"{place}: {found} != {expected}"


def test_a_full_queue_sends_others_away(live: Live) -> None:
    go_on = live.occupy()
    with ThreadPoolExecutor(WAITING) as pool:
        accepted = [pool.submit(live.post, "generate", WORD | {"max_new_tokens": 1}) for _ in range(WAITING)]
        wait_until(lambda: live.waiting() == WAITING)
        for body in (WORD, WORD | {"stream": True}):
            refused = live.post("generate", body)
            assert (refused.status_code, error(refused)["code"]) == (503, "busy")
            assert int(refused.headers["retry-after"]) > 0
        go_on.set()
        assert [future.result().status_code for future in accepted] == [200] * WAITING


def test_a_readout_does_not_wait_behind_long_work(live: Live) -> None:
    live.post("trace", WORD)
    go_on = live.occupy()
    try:
        for position in (0, 1):
            assert live.post("trace", WORD | {"position": position}).status_code == 200
        assert live.client.get("/api/values/L1D5").status_code == 200
        assert live.client.get("/api/tokens", params={"text": "w5"}).status_code == 200
    finally:
        go_on.set()


def test_a_client_that_leaves_takes_its_waiting_work_along(live: Live) -> None:
    go_on = live.occupy()
    try:
        for stream in (False, True):
            with pytest.raises(httpx2.TimeoutException):
                live.client.post("/api/generate", json=WORD | {"stream": stream}, timeout=0.5)
            wait_until(lambda: live.waiting() == 0)
    finally:
        go_on.set()


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_stops_its_generation(live: Live, stream: bool) -> None:
    finish: list[str] = []
    engine = live.worker.debugger
    generate = engine.generate

    def watched(*args: Any, **options: Any) -> Any:
        result = generate(*args, **options)
        finish.append(result.finish)
        return result

    endless = WORD | {"max_new_tokens": 50, "stream": stream, "interventions": ["L1D5=off"]}
    engine.generate = watched  # type: ignore[method-assign]
    begun = threading.Event()
    slow = engine.model.network.register_forward_pre_hook(lambda *_: (begun.set(), time.sleep(0.1))[2:])
    try:
        if stream:
            with live.client.stream("POST", "/api/generate", json=endless) as answer:
                assert next(answer.iter_lines()) == "event: token"
        else:
            with begin(live.client, "/api/generate", endless):
                assert begun.wait(120)
        wait_until(lambda: finish)
    finally:
        slow.remove()
        del engine.generate
    assert finish == ["cancelled"]


@contextmanager
def begin(client: httpx2.Client, path: str, body: Any) -> Iterator[None]:
    """Ask, and leave at the end without having waited for the answer."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert client.base_url.port is not None
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        yield


def test_a_client_that_leaves_stops_its_calibration(live: Live) -> None:
    asked = {"tokens": 1_000_000, "force": True, "stream": True}
    with live.client.stream("POST", "/api/calibrate", json=asked) as answer:
        lines = answer.iter_lines()  # kept: an iterator that is thrown away closes the connection
        assert next(lines) == "event: progress"
        assert live.client.get("/api/health").json()["step"]
    wait_until(lambda: live.client.get("/api/health").json()["step"] == "")


def test_a_lane_outlives_every_error_and_ends_when_closed() -> None:
    lane = Lane("test", 8)
    lane.start()

    def fail(error: BaseException) -> Any:
        raise error

    for error_, told in (
        (ValueError("x"), ValueError),
        (MemoryError(), MemoryLimitError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), MemoryLimitError),
    ):
        with pytest.raises(told):
            lane.submit(lambda _, e=error_: fail(e)).future.result(5)  # type: ignore[misc]
    running = lane.submit(lambda cancel: cancel.wait(20))
    waiting = lane.submit(lambda _: 1)
    wait_until(running.future.running)
    lane.close(5)
    assert running.future.result(1)
    assert waiting.future.cancelled()
