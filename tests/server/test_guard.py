"""Who may ask: Host, Origin, token; and the headers of every response."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lm_debugger.errors import OptionError
from lm_debugger.server.app import create_app
from lm_debugger.server.settings import Settings

from .live import BASE, error, tiny_app, wait_until_ready

TOKEN = "s3cret-t0ken"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST", "127.8.8.8:80", "[::1]:8765", "[::1]"])
def test_hosts_of_this_machine(client: TestClient, host: str) -> None:
    assert client.get("/api/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "192.168.1.5", "", "[::2]", "localhost@x"]
)
def test_other_hosts_are_refused(client: TestClient, host: str) -> None:
    for path in ("/api/health", "/", "/nothing"):
        answer = client.get(path, headers={"Host": host})
        assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": BASE}, 200),
        ({"Origin": BASE, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_changes_from_other_sites_are_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/trace", json={"prompt": "w5"}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert error(answer)["code"] == "forbidden"


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/nothing", "/nothing", "/api/openapi.json"])
def test_headers_of_every_response(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": "https://evil.example"}).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert not any(name.startswith("access-control") for name in headers)
    if path.startswith("/api/"):
        assert headers["cache-control"] == "no-store"


def test_no_other_site_may_ask_first(client: TestClient) -> None:
    answer = client.options(
        "/api/trace", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_off_this_machine_a_token_is_required(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="token"):
        create_app(Settings(host="0.0.0.0", database=str(tmp_path / "a.db")))


@pytest.fixture
def guarded(tmp_path: Path) -> Any:
    with TestClient(tiny_app(tmp_path, host="0.0.0.0", token=TOKEN), base_url="http://10.1.2.3:8765") as found:
        found.headers["Authorization"] = f"Bearer {TOKEN}"
        wait_until_ready(found)
        del found.headers["Authorization"]
        yield found


def test_without_the_token_nothing_is_told(guarded: TestClient) -> None:
    for path in ("/api/health", "/api/model", "/api/openapi.json", "/api/health?token=wrong", "/api/health?token="):
        answer = guarded.get(path)
        assert (answer.status_code, error(answer)["code"]) == (401, "token")
        assert "set-cookie" not in answer.headers
    page = guarded.get("/")
    assert page.status_code == 401
    assert "Open the URL" in page.text
    for sent in ("Bearer wrong", "Bearer", "Basic " + "x", "Bearer \xff"):
        assert guarded.get("/api/health", headers={"Authorization": sent.encode("latin-1")}).status_code == 401
    assert guarded.get("/api/health", headers={"Cookie": "lm_debugger_8765=wrong; ="}).status_code == 401


def test_the_token_in_the_url_opens_the_page_and_leaves_the_address(guarded: TestClient) -> None:
    answer = guarded.get("http://10.1.2.3:8765//evil.example/x", params={"token": TOKEN, "a": '"><b>'})
    assert answer.status_code == 200
    assert TOKEN not in answer.text
    assert "<b>" not in answer.text
    assert 'url=/evil.example/x?a=%22%3E%3Cb%3E"' in answer.text
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "s3cret" not in cookie
    assert guarded.get("/api/health").status_code == 200  # the cookie is sent now
    assert guarded.get("/").status_code == 200


def test_the_token_in_the_url_of_the_api_answers_at_once(guarded: TestClient) -> None:
    assert guarded.get("/api/health", params={"token": TOKEN}).json()["status"] == "ready"


@pytest.mark.parametrize(("host", "allowed"), [("10.1.2.3", True), ("localhost", True), ("evil.example", False)])
def test_hosts_off_this_machine(guarded: TestClient, host: str, allowed: bool) -> None:
    answer = guarded.get("/api/health", params={"token": TOKEN}, headers={"Host": host})
    assert answer.status_code == (200 if allowed else 403)
