"""Half-sent requests, many connections, and what they may write into the log. Order decides, not speed."""

import http.client
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from lm_debugger.server import connections, log
from lm_debugger.server.settings import Limits
from tests.server.live import Process, bearer, behind_socket, tiny_app, wait_until

TOKEN = "s3cret-t0ken"
MOST = 40
HALF = b"POST /api/trace HTTP/1.1\r\nHost: localhost\r\nX: "


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A server with short patience and few connections."""
    limits = Limits(header_seconds=2, body_seconds=2, connections=MOST)
    with behind_socket(tiny_app(tmp_path_factory.mktemp("small"), token=TOKEN, limits=limits), TOKEN) as found:
        yield found


def connect(client: httpx2.Client, sent: bytes) -> socket.socket:
    assert client.base_url.port is not None
    connection = socket.create_connection((client.base_url.host, client.base_url.port), timeout=30)
    connection.sendall(sent)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server closes a connection; it may say why before."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return True


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        HALF,
        f"POST /api/trace HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{".encode(),
        f"POST /api/trace HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{".encode(),
        f"GET /api/health HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\nGET /api".encode(),
    ],
)
def test_a_request_that_is_never_finished_is_ended(small: httpx2.Client, sent: bytes) -> None:
    with connect(small, sent) as connection:
        assert is_closed(connection)
    assert small.get("/api/health").status_code == 200


def test_sending_a_byte_now_and_then_gains_no_time(small: httpx2.Client) -> None:
    with connect(small, HALF) as connection:
        connection.settimeout(0.1)
        for _ in range(600):  # a minute
            try:
                connection.sendall(b"x")
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    raise AssertionError("the connection was kept")


def test_three_hundred_half_sent_requests_do_not_shut_out_whole_ones(tmp_path: Path) -> None:
    # They may take as long as they like: what is shown is that room is made for whole ones.
    limits = Limits(header_seconds=3600, body_seconds=3600, connections=MOST)
    app = tiny_app(tmp_path, token=TOKEN, limits=limits)
    with behind_socket(app, TOKEN) as client, ExitStack() as held:
        sockets = [held.enter_context(connect(client, HALF)) for _ in range(300)]
        for _ in range(20):
            with httpx2.Client(base_url=client.base_url, headers=bearer(TOKEN), timeout=30) as another:
                assert another.post("/api/trace", json={"prompt": "w5"}).status_code == 200
        assert is_closed(sockets[0])  # the first to have waited


def test_the_cap_leaves_room_among_the_files_that_may_be_open() -> None:
    assert connections.limited(1, 1, 10**9).most < 10**9
    assert connections.limited(1, 1, 8).most == 8


def test_requests_that_are_no_http_write_little(served: Process, tmp_path: Path) -> None:
    for i in range(300):
        with connect(served.client, bytes([i % 256, 0xFF]) * 50 + b"\r\n\r\n") as connection:
            is_closed(connection)
    assert served.client.get("/api/health").status_code == 200


def test_a_log_has_few_lines_a_minute_and_no_long_ones(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("lm_debugger.test.log")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    found = log.Limit()
    logger.addFilter(found)
    try:
        for i in range(1000):
            logger.warning("%s", f"line {i} \x1b[31m\n" + "x" * 10_000)
        written = capsys.readouterr().err
        assert written.count("\n") == log.LINES
        assert len(written) < log.LINES * (log.CHARACTERS + 100)
        assert "\x1b" not in written
        found._began -= 61  # a minute later
        logger.warning("again")
        assert capsys.readouterr().err == f"again ({1000 - log.LINES} more lines before were left out)\n"
    finally:
        logger.removeHandler(handler)
        logger.removeFilter(found)


def test_the_servers_own_loggers_are_limited(small: httpx2.Client) -> None:
    for name in ("uvicorn.error", "asyncio", "lm_debugger.server"):
        assert any(isinstance(found, log.Limit) for found in logging.getLogger(name).filters)
    wait_until(lambda: small.get("/api/health").status_code == 200)


def test_a_body_that_is_far_too_large_is_told_so_while_it_is_sent(small: httpx2.Client) -> None:
    where, headers = small.base_url, {"Content-Type": "application/json", **bearer(TOKEN)}
    connection = http.client.HTTPConnection(where.host, where.port or 80, timeout=60)
    try:
        connection.request("POST", "/api/why", b" " * 10_000_000, headers)
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["error"]["cure"]
    finally:
        connection.close()
