"""Faults of libraries, files and models reach the user as an error that says what and how, never raw."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from lm_debugger import Debugger
from lm_debugger.cli.terminal import print_error
from lm_debugger.edits import recipe as recipes
from lm_debugger.errors import LMDebuggerError, NumericalError, OptionError, PromptError, RecipeError
from lm_debugger.records.recipe import Recipe
from lm_debugger.server import failures
from lm_debugger.server.app import create_app
from lm_debugger.server.lane import Lane
from lm_debugger.server.settings import Limits, Settings
from lm_debugger.source import template
from lm_debugger.source.template import TemplateTimeError, within_seconds
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.store import database as database_module
from lm_debugger.store.database import Database
from lm_debugger.store.engine import DatabaseError
from lm_debugger.store.filesystem import kind, on_network
from lm_debugger.work import Progress
from tests import tiny
from tests.server.live import BASE, Process, behind_socket, error, tiny_app, wait_until, wait_until_ready


def panicking() -> PreTrainedTokenizerFast:
    """A tokenizer whose library panics over any text: pieces of length 0."""
    raw = Tokenizer(models.WordLevel({"w5": 0, "</s>": 1}, unk_token="w5"))
    raw.pre_tokenizer = pre_tokenizers.FixedLength(length=0)
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>")


def panic() -> None:
    """What the library does, unguarded."""
    panicking().encode("abc")


def test_the_panic_is_real() -> None:
    with pytest.raises(BaseException, match="chunk size") as found:
        panic()
    assert not isinstance(found.value, Exception)


def test_a_tokenizers_panic_is_an_error_of_the_prompt() -> None:
    with pytest.raises(PromptError, match="tokenizer broke down"):
        Vocabulary(panicking(), 2).encode("abc")


def test_a_panic_while_loading_is_told(tmp_path: Path) -> None:
    def opener(_: Progress) -> Debugger:
        panic()
        raise AssertionError

    app = create_app(Settings(database=str(tmp_path / "a.db")), opener, static=tmp_path)
    with TestClient(app, base_url=BASE) as client:
        wait_until(lambda: client.get("/api/health").json()["status"] != "loading")
        health = client.get("/api/health").json()
        assert (health["status"], health["error"]["code"]) == ("failed", "model_load")
        assert "chunk size" in health["error"]["what"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_panic_in_the_middle_of_work_is_told(tmp_path: Path, stream: bool) -> None:
    app = tiny_app(tmp_path)
    with behind_socket(app) as client:
        worker = app.state.services.worker
        worker.debugger.generate = lambda *_, **__: panic()
        answer = client.post("/api/generate", json={"prompt": "w5", "stream": stream})
        if stream:
            name, data = answer.text.strip().split("\n")[-2:]
            assert name == "event: error"
            assert json.loads(data.removeprefix("data: "))["error"]["code"] == "bug"
        else:
            assert (answer.status_code, error(answer)["code"]) == (500, "bug")
        assert client.post("/api/trace", json={"prompt": "w5"}).status_code == 200


@pytest.mark.parametrize(("parent", "status"), [(PromptError, 422), (NumericalError, 422), (DatabaseError, 503)])
def test_an_error_of_a_derived_class_is_answered_as_its_parent(parent: type[LMDebuggerError], status: int) -> None:
    class Derived(parent):  # type: ignore[valid-type, misc]
        """A kind of its own."""

    answer = failures.answer(Derived("It failed.", "Try."))
    assert answer.status_code == status
    assert json.loads(bytes(answer.body))["error"]["code"] == parent.code
    assert ("retry-after" in answer.headers) == (parent is DatabaseError)


def test_a_range_that_cannot_be_met_is_no_error(served: Process) -> None:
    for asked in ("bytes=999999999-", "bytes=-0", "bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-0,2-2"):
        for path in ("/", "/favicon.svg"):
            answer = served.client.get(path, headers={"Range": asked})
            assert answer.status_code in (200, 404), (path, asked)
            assert answer.headers["content-type"] != "text/plain; charset=utf-8"


@pytest.mark.parametrize("edit", ["L12D345=1e30", "L12D345=-1e30", "L29D1=1e30", "L12D345*=1e30"])
def test_no_score_is_lost_to_an_overflow(served: Process, edit: str) -> None:
    answer = served.client.post("/api/trace", json={"prompt": "My wife is", "interventions": [edit], "top_k": 3})
    if answer.status_code == 422:
        assert error(answer)["code"] == "not_finite"
        return
    values = [value for layer in answer.json()["layers"] for value in layer["values"]]
    assert values
    for value in values:
        for field in ("coefficient", "norm", "score"):
            assert isinstance(value[field], float), (value["value"], field)


def test_a_number_that_would_overflow_is_refused_with_its_limit(served: Process) -> None:
    asked = {"prompt": "My wife is", "interventions": ["L12D345=3e38"]}
    answer = served.client.post("/api/trace", json=asked)
    assert (answer.status_code, error(answer)["code"]) == (422, "bad_edit")
    assert "1e+30" in error(answer)["what"]


def test_health_tells_no_step_when_nothing_is_done(served: Process) -> None:
    assert served.client.get("/api/search", params={"q": "teacher"}).status_code == 200
    health = served.client.get("/api/health").json()
    assert (health["step"], health["done"], health["total"]) == ("", 0, 0)


ESCAPE = "\x1b]0;owned\x07\x1b[2J"


def test_a_recipe_with_terminal_escapes_is_refused_and_shown_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    head = "# LM-Debugger recipe\n# name: a\n# fingerprint: f\n"
    with pytest.raises(RecipeError, match="control character") as found:
        recipes.read(f"{head}# note: {ESCAPE}\nL1D2=off\n")
    assert "\x1b" not in str(found.value)
    with pytest.raises(RecipeError, match="control character"):
        recipes.write(Recipe(name="a", fingerprint="f", note=ESCAPE, interventions=("L1D2=off",)))
    with pytest.raises(RecipeError) as told:
        recipes.read(f"{head}L1D2=off\n{ESCAPE}\n")
    print_error("bad_recipe", told.value.what + ESCAPE, ESCAPE, as_json=False)
    assert "\x1b" not in capsys.readouterr().err


def test_a_recipe_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A process that may write only so many bytes, as on a disk that is full."""
    path = tmp_path / "a.recipe.txt"
    old = Recipe(name="old", fingerprint="f", interventions=("L1D2=off",))
    recipes.write_file(old, path)
    script = f"""
import resource, signal
from lm_debugger.edits import recipe
from lm_debugger.errors import RecipeError
from lm_debugger.records.recipe import Recipe
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    recipe.write_file(Recipe(name="new", fingerprint="f", note="x" * 5000, interventions=("L1D2=on",)), {str(path)!r})
except RecipeError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert "cannot be written" in ran.stdout
    assert recipes.read_file(path) == old
    assert [file.name for file in tmp_path.iterdir()] == ["a.recipe.txt"]


def test_a_recipe_is_written_through_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    recipes.write_file(Recipe(name="new", fingerprint="f", interventions=("L1D2=on",)), link)
    assert link.is_symlink()
    assert recipes.read_file(path).name == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_trace_does_not_wait_for_another_process_that_holds_the_database(tmp_path: Path) -> None:
    with behind_socket(tiny_app(tmp_path)) as client:
        assert client.put("/api/values/L1D2/name", json={"name": "kept"}).status_code == 200
        assert client.post("/api/trace", json={"prompt": "w5"}).status_code == 200
        holder = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")  # nobody else may write
        try:
            # Answered although it is held all the while; otherwise this would be an error.
            assert client.post("/api/trace", json={"prompt": "w6"}).status_code == 200
            answer = client.put("/api/values/L1D2/name", json={"name": "late"})
            assert (answer.status_code, error(answer)["code"]) == (503, "database")
        finally:
            holder.close()
        assert client.put("/api/values/L1D2/name", json={"name": "late"}).status_code == 200


def test_a_trace_is_answered_when_the_database_does_not_answer_at_all(tmp_path: Path) -> None:
    app = tiny_app(tmp_path)
    with behind_socket(app) as client:
        app.state.services.database.close()
        holder = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")  # nobody else may read either
        try:
            for word in ("w5", "w6", "w7"):
                assert client.post("/api/trace", json={"prompt": word}).status_code == 200
        finally:
            holder.close()


def test_without_its_history_a_server_works_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "RETRY_SECONDS", 0)
    (tmp_path / "test.db").write_text("no database, and no page of one either" * 200)
    with TestClient(tiny_app(tmp_path), base_url=BASE) as client:
        wait_until_ready(client)
        (warning,) = client.get("/api/health").json()["warnings"]
        assert warning["code"] == "database"
        assert "test.db" in warning["what"]
        assert client.post("/api/trace", json={"prompt": "w5"}).status_code == 200
        answer = client.post("/api/runs", json={"prompt": "w5"})
        assert (answer.status_code, error(answer)["code"]) == (503, "database")
        (tmp_path / "test.db").unlink()  # somebody mends it
        assert client.post("/api/runs", json={"prompt": "w5"}).status_code == 201
        assert client.get("/api/health").json()["warnings"] == []


def test_network_file_systems_are_told_from_local_ones(tmp_path: Path) -> None:
    share = tmp_path / "my share"
    share.mkdir()
    escaped = str(share).replace(" ", "\\040")
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\ntmpfs /somewhere tmpfs rw 0 0\nbroken\n"
    )
    assert (kind(share / "a.db", mounts), on_network(share / "a.db", mounts)) == ("nfs4", True)
    assert (kind(tmp_path / "a.db", mounts), on_network(tmp_path / "a.db", mounts)) == ("ext4", False)
    assert not on_network(share, tmp_path / "no such file")


@pytest.mark.parametrize(("network", "journal"), [(True, "delete"), (False, "wal")])
def test_on_a_network_file_system_the_database_has_no_wal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: bool, journal: str
) -> None:
    monkeypatch.setattr("lm_debugger.store.engine.on_network", lambda _: network)
    database = Database(str(tmp_path / "a.db"))
    database.write_note("f", "L1D2", "name", "")
    database.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (journal,)


def chatting(text: str, demo: Debugger) -> Vocabulary:
    """The demo model's vocabulary with another chat template."""
    from copy import deepcopy

    tokenizer: Any = deepcopy(demo.model.vocabulary.tokenizer)
    tokenizer.chat_template = text
    return Vocabulary(tokenizer, demo.model.vocabulary.size)


def test_a_chat_template_without_end_is_stopped(demo: Debugger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template.within_seconds, "__defaults__", (0.3,))
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(OptionError, match=r"takes longer than 0\.3 seconds"):
        chatting(endless, demo).chat("Hello")
    caught = "{% for a in range(99999) %}{% for b in range(99999) %}{{ a ~ b | default(1) }}{% endfor %}{% endfor %}"
    with pytest.raises(OptionError, match="takes longer than"):
        chatting(caught, demo).chat("Hello")
    assert sys.gettrace() is None
    monkeypatch.setattr(template.within_seconds, "__defaults__", (600.0,))
    with pytest.raises(OptionError, match="makes 99,"):
        chatting("{% for a in range(9999) %}" + "x" * 9999 + "{% endfor %}", demo).chat("Hello")


def test_a_limit_of_time_lets_work_through_and_its_errors() -> None:
    assert within_seconds(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within_seconds(lambda: 1 / 0)
    with pytest.raises(TemplateTimeError):
        within_seconds(lambda: list(iter(lambda: 1, 2)), 0.05)


def test_work_over_the_time_limit_is_asked_to_stop_and_the_client_told(tmp_path: Path) -> None:
    app = tiny_app(tmp_path, limits=Limits(seconds=0.5))
    with behind_socket(app) as client:
        answer = client.post("/api/calibrate", json={"tokens": 1 << 20, "force": True})  # minutes
        assert (answer.status_code, error(answer)["code"]) == (504, "time_limit")
        assert "--time-limit" in error(answer)["cure"]
        assert client.post("/api/trace", json={"prompt": "w5"}).status_code == 200


def test_work_that_does_not_notice_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    lane = Lane("test", 4, seconds=0.2)
    lane.start()
    go_on = threading.Event()
    job = lane.submit(lambda _: go_on.wait(60))
    with pytest.raises(failures.TimeLimitError):
        job.future.result(timeout=30)
    assert job.cancel.is_set()
    go_on.set()
    # What work gives when it is asked to stop is its answer: a generation's tokens so far.
    assert lane.submit(lambda cancel: cancel.wait(60)).future.result(timeout=30) is True
    assert lane.submit(lambda _: 3).future.result(timeout=30) == 3
    lane.close(5)


def test_loading_has_no_time_limit(tmp_path: Path) -> None:
    import threading

    go_on = threading.Event()

    def opener(_: Progress) -> Debugger:
        assert go_on.wait(60)
        return tiny.debugger("llama")

    settings = Settings(database=str(tmp_path / "a.db"), limits=Limits(seconds=0.05))
    app = create_app(settings, opener, static=tmp_path)
    with TestClient(app, base_url=BASE) as client:
        lane = app.state.services.worker._forwards
        wait_until(lambda: lane._running is not None and lane._running._began is not None)
        running = lane._running
        assert not threading.Event().wait(0.5)  # ten times the limit
        assert not running.cancel.is_set()
        go_on.set()
        wait_until_ready(client)
