"""A server with another model: bisected with the first, refused where it cannot be, never named by a request."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient

from lm_debugger.cli.app import main
from lm_debugger.debugger.session import Debugger
from lm_debugger.records.bisect import Bisection
from lm_debugger.server.worker import Opener
from lm_debugger.work import Progress
from tests import tiny
from tests.planted import IDS, planted

from .live import BASE, error, tiny_app, wait_until_ready

EDITS = ["L0D1=0"]


@pytest.fixture(scope="module")
def twins() -> tuple[Debugger, str]:
    """The other model, and the value vector in which it is another one."""
    _, twin, name = planted("llama", 1)
    return twin, name


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, twins: tuple[Debugger, str]) -> Iterator[TestClient]:
    with TestClient(tiny_app(tmp_path_factory.mktemp("two"), other=lambda _: twins[0]), base_url=BASE) as client:
        wait_until_ready(client)
        yield client


def test_the_planted_difference_is_found(served: TestClient, twins: tuple[Debugger, str]) -> None:
    twin, name = twins
    answer = served.post("/api/bisect", json={"ids": IDS, "other": True, "max_new_tokens": 0})
    assert answer.status_code == 200, answer.text
    found = Bisection.model_validate_json(answer.text)
    assert (found.layer, found.part, found.units, found.flips) == (1, "ffn", (name,), True)
    assert found.other.id == twin.trace(IDS).view().output[0].id
    assert served.get("/api/model").json()["other"] == twin.summary.model_dump()


def test_both_write_until_a_token_differs(served: TestClient, twins: tuple[Debugger, str]) -> None:
    one, (twin, _) = tiny.shared("llama"), twins
    texts = [f"w{a} w{b} w9" for a in range(5, 60, 7) for b in (11, 30)]

    def alike(text: str) -> int:
        both = zip(*(each.generate(text, EDITS, max_new_tokens=6).tokens for each in (one, twin)), strict=True)
        return next((n for n, (a, b) in enumerate(both) if a.id != b.id), 0)

    text, written = next((text, count) for text in texts if (count := alike(text)))
    body = {"prompt": text, "interventions": EDITS, "other": True, "max_new_tokens": 6, "stream": True}
    answer = served.post("/api/bisect", json=body)
    assert "event: progress" in answer.text
    found = Bisection.model_validate_json(answer.text.partition("event: result\ndata: ")[2].splitlines()[0])
    assert found == one.bisect(text, other=twin, interventions=EDITS, max_new_tokens=6)
    assert found.generated == written
    assert found.interventions == ("L0D1=0.0",)
    assert found.answer.id != found.other.id


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"source": "w5 w9"}, "another model"),
        ({"source_ids": [5, 9]}, "another model"),
        ({"source_interventions": EDITS}, "another model"),
        ({"max_new_tokens": 1001}, "max_new_tokens"),
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"other": "gpt2"}, "other"),  # no request names a model
        ({"model": "gpt2"}, "model"),
    ],
)
def test_what_does_not_go_together_is_refused(served: TestClient, asked: dict[str, Any], word: str) -> None:
    answer = served.post("/api/bisect", json={"ids": IDS, "other": True} | asked)
    assert answer.status_code == 422, answer.text
    assert word in error(answer)["what"]


def test_without_another_model_there_is_none(client: TestClient) -> None:
    assert client.get("/api/model").json()["other"] is None
    answer = client.post("/api/bisect", json={"ids": IDS, "other": True})
    assert answer.status_code == 422
    assert "--other" in error(answer)["cure"]


def unknown(_: Progress) -> Debugger:
    import lm_debugger

    return lm_debugger.load("/no/such/model")


def unlike(_: Progress) -> Debugger:
    return tiny.debugger("gpt2")


def panic(_: Progress) -> Debugger:
    raise torch.OutOfMemoryError("not enough")


@pytest.mark.parametrize(
    ("other", "status", "word"),
    [(unknown, 503, "/no/such/model"), (unlike, 422, "shape"), (panic, 503, "not enough")],
)
def test_one_that_cannot_be_compared_with_is_told_and_the_first_is_served(
    tmp_path: Path, other: Opener, status: int, word: str
) -> None:
    with TestClient(tiny_app(tmp_path, other=other), base_url=BASE) as client:
        wait_until_ready(client)
        (warning,) = client.get("/api/health").json()["warnings"]
        assert "no other model" in warning["what"]
        assert word in warning["what"]
        assert client.get("/api/model").json()["other"] is None
        answer = client.post("/api/bisect", json={"ids": IDS, "other": True})
        assert (answer.status_code, error(answer)) == (status, warning)
        assert client.post("/api/trace", json={"ids": IDS}).status_code == 200


def test_the_command_line_names_it(
    tmp_path: Path, twins: tuple[Debugger, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, name = twins
    for folder, debugger in (("one", tiny.shared("llama")), ("two", twin)):
        debugger.model.network.save_pretrained(tmp_path / folder)
        tiny.tokenizer(96).save_pretrained(tmp_path / folder)
    told: list[dict[str, Any]] = []

    def serve(app: FastAPI, listener: socket.socket, started: Callable[[], None]) -> None:
        listener.close()
        with TestClient(app, base_url=BASE) as client:
            wait_until_ready(client)
            told.append(client.get("/api/model").json())
            told.append(client.post("/api/bisect", json={"ids": IDS, "other": True, "max_new_tokens": 0}).json())

    monkeypatch.setattr("lm_debugger.server.listen.serve", serve)
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    database = str(tmp_path / "test.db")
    options = ("--port", "0", "--no-token", "--no-browser", "--database", database, "--dtype", "float64")
    assert main(["serve", one, "--other", two, *options]) == 0
    model, found = told
    assert (model["model"]["name"], model["other"]["name"]) == (one, two)
    assert model["other"]["dtype"] == "float64"
    assert (found["layer"], found["units"], found["flips"]) == (1, [name], True)
