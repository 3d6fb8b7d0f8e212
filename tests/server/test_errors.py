"""Every error has the one shape and the right status, and the server lives on."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import lm_debugger
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import LMDebuggerError, ModelNotFoundError
from lm_debugger.server import failures
from lm_debugger.server.app import create_app
from lm_debugger.server.settings import Limits, Settings
from lm_debugger.work import Progress
from tests import tiny, zoo

from .live import BASE, error, tiny_app, wait_until, wait_until_ready

TRACE = "/api/trace"
WORD = {"prompt": "w5 w9"}


@pytest.fixture(autouse=True)
def _the_model_still_answers(client: TestClient) -> Any:
    yield
    assert client.post(TRACE, json=WORD).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", TRACE, {}, 422, "bad_request"),
        ("POST", TRACE, {"prompt": "w5", "ids": [5]}, 422, "bad_request"),
        ("POST", TRACE, {"prompt": 5}, 422, "bad_request"),
        ("POST", TRACE, {"promt": "w5"}, 422, "bad_request"),
        ("POST", TRACE, WORD | {"position": "1"}, 422, "bad_request"),
        ("POST", TRACE, WORD | {"position": 10**30}, 422, "bad_request"),
        ("POST", TRACE, WORD | {"position": 2}, 422, "bad_option"),
        ("POST", TRACE, WORD | {"position": -3}, 422, "bad_option"),
        ("POST", TRACE, WORD | {"top_k": 0}, 422, "bad_request"),
        ("POST", TRACE, WORD | {"top_k": 51}, 422, "bad_option"),
        ("POST", TRACE, {"prompt": ""}, 422, "bad_prompt"),
        ("POST", TRACE, {"ids": []}, 422, "bad_prompt"),
        ("POST", TRACE, {"ids": [96]}, 422, "bad_prompt"),
        ("POST", TRACE, {"prompt": "w5 " * 4097}, 422, "bad_prompt"),
        ("POST", TRACE, {"ids": [5] * 4097}, 422, "bad_prompt"),
        ("POST", TRACE, {"prompt": "x" * 100_001}, 422, "bad_prompt"),
        ("POST", TRACE, WORD | {"interventions": ["nonsense"]}, 422, "bad_edit"),
        ("POST", TRACE, WORD | {"interventions": ["L9D0=off"]}, 422, "bad_edit"),
        ("POST", TRACE, WORD | {"interventions": ["L1D99999=off"]}, 422, "bad_edit"),
        ("POST", TRACE, WORD | {"interventions": ["L1D5=off", "L1D5=on"]}, 422, "bad_edit"),
        ("POST", TRACE, WORD | {"interventions": ["L1D5=nan"]}, 422, "bad_edit"),
        ("POST", TRACE, WORD | {"interventions": ["L1D5=off"] * 257}, 422, "bad_option"),
        ("POST", TRACE, WORD | {"interventions": ["L1D5=1e300"]}, 422, "bad_edit"),
        ("POST", "/api/grid", WORD | {"layers": [3]}, 422, "bad_option"),
        ("POST", "/api/grid", WORD | {"layers": []}, 422, "bad_request"),
        ("POST", "/api/grid", WORD | {"positions": [2]}, 422, "bad_option"),
        ("POST", "/api/grid", WORD | {"token": 96}, 422, "bad_option"),
        ("POST", "/api/grid", WORD | {"layers": [0] * 50_001}, 422, "bad_option"),
        ("POST", "/api/trajectory", WORD, 422, "bad_request"),
        ("POST", "/api/trajectory", WORD | {"tokens": [96]}, 422, "bad_option"),
        ("POST", "/api/trajectory", WORD | {"tokens": [5] * 33}, 422, "bad_option"),
        ("POST", "/api/generate", WORD | {"max_new_tokens": 1025}, 422, "bad_option"),
        ("POST", "/api/generate", WORD | {"temperature": -1}, 422, "bad_request"),
        ("POST", "/api/generate", WORD | {"top_p": 0}, 422, "bad_request"),
        ("POST", "/api/generate", WORD | {"stop": [""]}, 422, "bad_option"),
        ("POST", "/api/generate", WORD | {"chat": True}, 422, "bad_option"),
        ("POST", "/api/generate", {"ids": [5], "chat": True}, 422, "bad_option"),
        ("POST", "/api/calibrate", {"tokens": 1 << 40}, 422, "bad_option"),
        ("GET", "/api/values/nonsense", None, 404, "bad_value"),
        ("GET", "/api/values/L9D0", None, 404, "bad_value"),
        ("GET", "/api/values/L1D5?top_k=51", None, 422, "bad_request"),
        ("POST", "/api/values/L9D0/coefficients", WORD, 404, "bad_value"),
        ("PUT", "/api/values/L9D0/name", {"name": "x"}, 404, "bad_value"),
        ("PUT", "/api/values/L1D5/name", {"name": "x" * 101}, 422, "bad_request"),
        ("PUT", "/api/values/L1D5/name", {"name": "x\x00"}, 422, "bad_request"),
        ("GET", "/api/tokens", None, 422, "bad_request"),
        ("POST", "/api/tokens", {"text": ""}, 422, "bad_request"),
        ("POST", "/api/tokens", {"text": "x" * 100_001}, 422, "bad_prompt"),
        ("POST", "/api/runs", {"prompt": "w5\x00"}, 422, "bad_request"),
        ("POST", "/api/runs", {"prompt": "w5", "interventions": ["?"]}, 422, "bad_edit"),
        ("POST", "/api/runs", {"prompt": "w5", "parent": 7}, 404, "not_found"),
        ("PUT", "/api/runs/7", {"title": "x"}, 404, "not_found"),
        ("PUT", "/api/runs/7", {"title": "x" * 201}, 422, "bad_request"),
        ("DELETE", "/api/runs/7", None, 404, "not_found"),
        ("DELETE", "/api/runs/99999999999999999999", None, 422, "bad_request"),
        ("GET", "/api/runs?limit=0", None, 422, "bad_request"),
        ("GET", "/api/nothing", None, 404, "not_found"),
        ("GET", "/nothing", None, 404, "not_found"),
        ("GET", TRACE, None, 405, "method_not_allowed"),
        ("DELETE", "/api/health", None, 405, "method_not_allowed"),
        ("GET", "/docs", None, 404, "not_found"),
    ],
)  # fmt: skip
def test_refusals(client: TestClient, method: str, path: str, body: Any, status: int, code: str) -> None:
    answer = client.request(method, path, json=body)
    assert (answer.status_code, error(answer)["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 50_000,
        b'{"a":' * 2000,
        b"null",
        b'{"prompt":"\\ud800"}',
        b'{"\\udfff":1}',
        b"\xff",
        b'{"prompt":NaN}',
    ],
)
def test_bodies_that_cannot_be_read(client: TestClient, body: bytes) -> None:
    answer = client.post(TRACE, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert error(answer)["cure"]


def test_a_body_of_another_type_is_refused(client: TestClient) -> None:
    # A page elsewhere may send these types without asking first.
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post(TRACE, content=b'{"prompt":"w5"}', headers={"Content-Type": kind})
        assert answer.status_code in (415, 422)
        error(answer)


def test_a_large_body_is_refused_whether_or_not_it_says_so(client: TestClient) -> None:
    large = b'{"prompt":"' + b" " * (1 << 20) + b'"}'
    for content in (large, iter([large[:1000], large[1000:]])):
        answer = client.post(TRACE, content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, error(answer)["code"]) == (413, "too_large")
        assert error(answer)["cure"]


def test_a_run_over_the_memory_limit_is_refused(tmp_path: Path) -> None:
    with TestClient(tiny_app(tmp_path, limits=Limits(trace_bytes=1000)), base_url=BASE) as other:
        wait_until_ready(other)
        answer = other.post(TRACE, json=WORD)
        assert (answer.status_code, error(answer)["code"]) == (413, "memory_limit")


def test_a_mistake_of_the_server_is_told_without_details(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    services = client.app.state.services  # type: ignore[attr-defined]
    network = services.debugger.model.network
    hook = network.model.layers[1].register_forward_pre_hook(lambda *_: 1 / 0)
    try:
        answer = client.post(TRACE, json={"prompt": "w5 w9 w77"})
    finally:
        hook.remove()
    assert (answer.status_code, error(answer)["code"]) == (500, "bug")
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_database_that_fails_is_told(tmp_path: Path) -> None:
    with TestClient(tiny_app(tmp_path), base_url=BASE) as other:
        wait_until_ready(other)
        for file in tmp_path.glob("test.db*"):
            file.write_bytes(b"no database at all" * 1000)
        answer = other.get("/api/names")
        assert (answer.status_code, error(answer)["code"]) == (503, "database")
        assert other.get("/api/health").status_code == 200


def test_while_the_model_loads(tmp_path: Path) -> None:
    go_on: list[bool] = []

    def opener(progress: Progress) -> Debugger:
        progress("Reading", 3, 10)
        wait_until(lambda: go_on)
        return tiny.debugger("llama")

    with TestClient(create_app(Settings(database=str(tmp_path / "a.db")), opener), base_url=BASE) as other:
        wait_until(lambda: other.get("/api/health").json()["step"] == "Reading")
        health = other.get("/api/health").json()
        assert (health["status"], health["done"], health["total"]) == ("loading", 3, 10)
        for method, path, body in (
            ("GET", "/api/model", None), ("POST", TRACE, WORD), ("POST", "/api/generate", WORD),
            ("GET", "/api/values/L1D5", None), ("GET", "/api/names", None), ("GET", "/api/runs", None),
        ):  # fmt: skip
            answer = other.request(method, path, json=body)
            assert (answer.status_code, error(answer)["code"]) == (503, "loading")
            assert answer.headers["retry-after"]
        assert other.get("/api/examples").status_code == 200
        go_on.append(True)
        wait_until_ready(other)
        assert other.post(TRACE, json=WORD).status_code == 200


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (lambda: lm_debugger.load(zoo.make("mamba"), tiny.tokenizer(96)), 409, "unsupported_model"),
        (lambda: lm_debugger.load("/no/such/folder"), 503, ModelNotFoundError.code),
        (lambda: 1 / 0, 503, "model_load"),
    ],
)
def test_a_model_that_cannot_be_loaded(tmp_path: Path, failure: Any, status: int, code: str) -> None:
    with TestClient(create_app(Settings(database=str(tmp_path / "a.db")), lambda _: failure()), base_url=BASE) as other:
        wait_until(lambda: other.get("/api/health").json()["status"] == "failed")
        assert other.get("/api/health").json()["error"]["code"] == code
        for _ in range(2):
            answer = other.post(TRACE, json=WORD)
            assert (answer.status_code, error(answer)["code"]) == (status, code)


def test_every_error_has_a_status() -> None:
    def kinds(base: type[LMDebuggerError]) -> set[type[LMDebuggerError]]:
        return {base}.union(*(kinds(kind) for kind in base.__subclasses__()))

    assert kinds(LMDebuggerError) - {LMDebuggerError} == set(failures.STATUS)
