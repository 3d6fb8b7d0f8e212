"""Other users of the machine: the token, the files that hold it, and where it is never seen."""

import stat
from pathlib import Path

import httpx2
import pytest

from lm_debugger.cli.app import main
from lm_debugger.server.door import FOLDER_VARIABLE, Door
from lm_debugger.store import files
from lm_debugger.store.database import Database
from tests.server.live import Process, error, program, wait_until


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_on_the_loopback_too_nothing_is_told_without_the_token(served: Process) -> None:
    for path in ("/api/health", "/api/model", "/api/names", "/"):
        assert httpx2.get(f"{str(served.client.base_url).rstrip('/')}{path}").status_code == 401
    assert served.token is not None
    assert len(served.token) >= 32


def test_the_token_lies_in_a_file_that_only_the_user_can_read(tmp_path: Path, demo_cache: Path) -> None:
    with program(tmp_path / "a" / "kept.db", "--port", "0", ready=False) as found:
        port = found.client.base_url.port
        folder = tmp_path / "a" / "servers"
        token = folder / f"{port}.token"
        assert token.read_text().strip() == found.token
        assert (mode(folder), mode(token), mode(folder / f"{port}.html")) == (0o700, 0o600, 0o600)
        assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "kept.db")) == (0o700, 0o600)
        sent = {"Authorization": f"Bearer {token.read_text().strip()}"}
        assert httpx2.get(f"{found.client.base_url}api/health", headers=sent).status_code == 200
        status, said = found.interrupt()
        assert status == 0
        assert str(token) in said
        assert str(found.token) not in said
        assert list(folder.iterdir()) == []


def test_the_browser_is_opened_without_the_token_in_its_arguments(tmp_path: Path, demo_cache: Path) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}.new\nmv {seen}.new {seen}\n')
    browser.chmod(0o700)
    with program(
        tmp_path / "kept.db", "--port", "0", ready=False, browser=True, BROWSER=f"{browser} %s", DISPLAY=":1"
    ) as found:
        wait_until(seen.exists)
        address = seen.read_text().strip()
        assert found.token is not None
        assert found.token not in address
        assert address.startswith("file:///")
        page = Path(address.removeprefix("file://"))
        assert mode(page) == 0o600
        assert f"?token={found.token}" in page.read_text()
        assert found.token not in Path(f"/proc/{found.process.pid}/cmdline").read_text()


def test_without_a_token_only_if_asked_and_only_on_this_machine(tmp_path: Path, demo_cache: Path) -> None:
    with program(tmp_path / "kept.db", "--port", "0", "--no-token", ready=False) as found:
        assert found.token is None
        assert found.client.get("/api/health").status_code == 200
        assert found.client.get("/api/health", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("more", [["--host", "0.0.0.0"], ["--token", "x"]])
def test_turning_the_token_off_is_refused(
    more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LM_DEBUGGER_DATABASE", str(tmp_path / "kept.db"))
    assert main(["serve", "demo", "--no-browser", "--port", "0", "--no-token", *more]) != 0
    assert "token" in capsys.readouterr().err


def test_a_server_that_ends_leaves_anothers_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "servers"))
    first = Door(1234, "first", "http://127.0.0.1:1234/?token=first")
    second = Door(1234, "second", "http://127.0.0.1:1234/?token=second")
    first.close()
    assert second.token.read_text() == "second\n"
    second.close()
    assert not second.token.exists()
    assert not second.page.exists()


def test_a_data_folder_that_others_can_read_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    (tmp_path / "data").mkdir(mode=0o755)
    kept = tmp_path / "data" / "lm-debugger.db"
    kept.touch(mode=0o644)
    database = Database()
    database.write_note("f", "L1D2", "secret", "")
    for file in kept.parent.iterdir():  # what SQLite keeps beside it too
        assert mode(file) == 0o600, file
    assert mode(kept.parent) == 0o700
    database.close()


def test_a_database_that_others_were_given_is_left_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / "team.db"
    kept.touch()
    kept.chmod(0o660)
    before = mode(tmp_path)
    Database(str(kept)).close()
    assert (mode(kept), mode(tmp_path)) == (0o660, before)


@pytest.mark.parametrize(
    "cookie",
    [
        "OWN",
        'theirs={"a": [1]}; OWN',
        "a=b; ; =; \x01bad name=1; OWN",
        "__utm=%%; a b=c; OWN; [x]=y",
        '"unclosed="; OWN',
        "NAME=wrong; OWN",
        "OWN; NAME=wrong",
        "@:/?={{; OWN",
    ],
)
def test_cookies_of_other_programs_do_not_lock_the_user_out(tiny_server: httpx2.Client, cookie: str) -> None:
    base = str(tiny_server.base_url)
    with httpx2.Client(base_url=base) as browser:
        set_cookie = browser.get("/", params={"token": "s3cret-t0ken"}).headers["set-cookie"]
    own = set_cookie.partition(";")[0]
    sent = cookie.replace("OWN", own).replace("NAME", own.partition("=")[0])
    assert httpx2.get(f"{base}/api/health", headers={"Cookie": sent.encode("latin-1")}).status_code == 200
    without = sent.replace(own, "x=y")
    answer = httpx2.get(f"{base}/api/health", headers={"Cookie": without.encode("latin-1")})
    assert (answer.status_code, error(answer)["code"]) == (401, "token")


def test_several_cookie_headers_are_all_looked_at(tiny_server: httpx2.Client) -> None:
    base = str(tiny_server.base_url)
    own = httpx2.get(f"{base}/", params={"token": "s3cret-t0ken"}).headers["set-cookie"].partition(";")[0]
    headers = [("Cookie", "a=b"), ("Cookie", own), ("Cookie", "c=d")]
    assert httpx2.get(f"{base}/api/health", headers=headers).status_code == 200
