"""`/api/clusters` on a tiny model: what the engine answers, with users' names; streamed, refused, given up."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import CancelledError
from lm_debugger.records.cluster import ClusterBrief, Clustering, ClusterView
from lm_debugger.server.settings import Limits
from tests import tiny

from .live import BASE, behind_socket, error, tiny_app, wait_until, wait_until_ready

LIMITS = Limits(clusters=50, members=120)


@pytest.fixture
def client(tmp_path: Path, empty_cache: Path) -> Iterator[TestClient]:
    """Of a model without clusters."""
    with TestClient(tiny_app(tmp_path, limits=LIMITS), base_url=BASE) as found:
        wait_until_ready(found)
        yield found


def events(text: str) -> list[tuple[str, Any]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


def test_before_there_are_any(client: TestClient) -> None:
    for answer in (
        client.get("/api/clusters"),
        client.get("/api/clusters/0"),
        client.put("/api/clusters/0/name", json={"name": "x"}),
    ):
        assert answer.status_code == 404
        assert error(answer)["code"] == "no_clusters"
        assert error(answer)["cure"] == "POST /api/clusters makes them."
    assert client.get("/api/values/L1D5").json()["cluster"] is None


def test_made_listed_and_shown(client: TestClient) -> None:
    made = Clustering.model_validate_json(client.post("/api/clusters", json={"k": 5, "seed": 1}).text)
    assert (made.k, made.seed, made.cached) == (5, 1, False)
    engine: Debugger = tiny.debugger("llama")
    expected = engine.clusters(5, 1)  # the same cache
    assert expected.cached
    assert Clustering.model_validate_json(client.get("/api/clusters").text) == expected
    assert client.post("/api/clusters", json={}).json()["cached"]
    for number in range(5):
        answer = client.get(f"/api/clusters/{number}", params={"members": 7})
        assert ClusterView.model_validate_json(answer.text) == engine.cluster(number, members=7)
    belongs = client.get("/api/values/L1D5").json()["cluster"]
    assert belongs["name"] == expected.clusters[belongs["id"]].name


def test_names_of_clusters_and_of_members(client: TestClient) -> None:
    client.post("/api/clusters", json={"k": 5})
    belongs = client.get("/api/values/L1D5").json()["cluster"]
    number, automatic = belongs["id"], belongs["name"]
    named = client.put(f"/api/clusters/{number}/name", json={"name": " <b>places</b> "})
    brief = ClusterBrief.model_validate_json(named.text)
    assert (brief.name, brief.named) == ("<b>places</b>", True)
    client.put("/api/values/L1D5/name", json={"name": "mine"})

    listed = client.get("/api/clusters").json()["clusters"]
    assert [c["name"] for c in listed if c["named"]] == ["<b>places</b>"]
    view = client.get(f"/api/clusters/{number}", params={"members": 120}).json()
    assert view["brief"] == listed[number] == json.loads(named.text)
    assert {m["value"]: m["name"] for m in view["members"]}.get("L1D5", "mine") == "mine"
    assert client.get("/api/values/L1D5").json()["cluster"]["name"] == "<b>places</b>"
    assert client.post("/api/clusters", json={}).json()["clusters"][number]["named"]

    assert not client.post("/api/clusters", json={"k": 4}).json()["clusters"][0]["named"], "of another clustering"
    client.post("/api/clusters", json={"k": 5})
    assert client.get("/api/clusters").json()["clusters"][number]["named"], "the same clustering again"
    back = client.put(f"/api/clusters/{number}/name", json={"name": "  "}).json()
    assert (back["name"], back["named"]) == (automatic, False)


def test_as_a_stream(client: TestClient) -> None:
    answer = client.post("/api/clusters", json={"k": 6}, headers={"Accept": "text/event-stream"})
    told = events(answer.text)
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["result"]
    steps = list(dict.fromkeys(data["step"] for name, data in told if name == "progress"))
    assert steps == [
        "Reading value vectors", "Clustering", "Assigning vectors to clusters", "Naming clusters", "Drawing the map",
    ]  # fmt: skip
    assert told[-1][1]["clusters"] == client.get("/api/clusters").json()["clusters"]
    ((name, data),) = events(client.post("/api/clusters", json={"k": 50, "seed": 2, "stream": True}).text)[-1:]
    assert (name, data["k"]) == ("result", data["k"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"k": 51}, "bad_option"),
        ({"k": 1}, "bad_request"),
        ({"k": 2.5}, "bad_request"),
        ({"seed": -1}, "bad_request"),
        ({"seed": 2**31}, "bad_request"),
        ({"clusters": 5}, "bad_request"),
    ],
)
def test_what_cannot_be_made(client: TestClient, body: dict[str, Any], code: str) -> None:
    answer = client.post("/api/clusters", json=body)
    assert answer.status_code == 422
    assert error(answer)["code"] == code
    assert client.get("/api/clusters").status_code == 404


def test_what_cannot_be_shown(client: TestClient) -> None:
    client.post("/api/clusters", json={"k": 5})
    for path, status in (("5", 404), ("-1", 422), ("x", 422), ("0?members=121", 422), ("0?members=-1", 422)):
        assert client.get(f"/api/clusters/{path}").status_code == status, path
    answer = client.put("/api/clusters/5/name", json={"name": "x"})
    assert (answer.status_code, error(answer)["code"]) == (404, "not_found")
    for name in ("x" * 101, "a\x00b", 5):
        assert client.put("/api/clusters/0/name", json={"name": name}).status_code == 422


def test_a_client_that_leaves_ends_the_work(tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(
        self: Debugger, k: object, seed: object, *, force: bool, progress: Any, cancel: threading.Event
    ) -> Clustering:
        """Clustering that never ends by itself."""
        begun.set()
        try:
            while True:
                cancel.wait(0.01)
                progress("Clustering", 1, 2)
        except CancelledError:
            ended.set()
            raise

    monkeypatch.setattr(Debugger, "clusters", endless)
    with behind_socket(tiny_app(tmp_path)) as client:
        with client.stream("POST", "/api/clusters", json={"stream": True}) as answer:
            line = next(answer.iter_lines())
            assert line == "event: progress"
            assert begun.is_set()
        wait_until(ended.is_set)
        assert client.post("/api/trace", json={"prompt": "w5 w9"}).status_code == 200
