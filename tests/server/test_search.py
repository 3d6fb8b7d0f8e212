"""`/api/search`: the same answers as the engine's, with the users' names, on a tiny model's server."""

import json
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.server.live import BASE, error, tiny_app, wait_until_ready
from tests.tiny import shared


def search(client: TestClient, **asked: object) -> dict[str, object]:
    response = client.get("/api/search", params=asked)
    assert response.status_code == 200, response.text
    found: dict[str, object] = response.json()
    return found


def test_the_answer_is_the_engines(client: TestClient) -> None:
    expected = shared("llama").search("w7, w8", unwanted="w9", layers="1-2", sign="-", match="any", limit=7)
    asked = {"q": "w7, w8", "unwanted": "w9", "layers": "1-2", "sign": "-", "match": "any", "limit": 7}
    assert search(client, **asked) == json.loads(expected.model_dump_json())
    liked = shared("llama").search(like="L1D5", limit=3)
    assert search(client, like="l1d5", limit=3) == json.loads(liked.model_dump_json())


def test_forms_can_be_unticked(client: TestClient) -> None:
    found = search(client, q="/^w1[012]$/", skip=["10", "12"])
    (keyword,) = found["keywords"]  # type: ignore[misc]
    assert [(form["key"], form["used"]) for form in keyword["forms"]] == [("10", False), ("11", True), ("12", False)]


def test_names_come_along_and_can_be_asked_for_alone(client: TestClient) -> None:
    best = search(client, q="w20", limit=2)["results"][1]["value"]  # type: ignore[index]
    client.put(f"/api/values/{best}/name", json={"name": "twenty"})
    try:
        results = search(client, q="w20", limit=2)["results"]
        assert [result["name"] for result in results] == [None, "twenty"]  # type: ignore[attr-defined]
        named = search(client, q="w20", named=True)
        assert [result["value"] for result in named["results"]] == [best]  # type: ignore[attr-defined]
        near = search(client, like=best, limit=1)["results"][0]["value"]  # type: ignore[index]
        seen = client.get(f"/api/values/{near}", params={"similar": 3}).json()
        assert "twenty" in {other["name"] for other in seen["similar"] + seen["opposite"]}
    finally:
        client.put(f"/api/values/{best}/name", json={"name": ""})


def test_a_stream_ends_with_the_result(client: TestClient) -> None:
    response = client.get("/api/search", params={"q": "w7"}, headers={"Accept": "text/event-stream"})
    events = [part.split("\n") for part in response.text.strip().split("\n\n")]
    assert events[-1][0] == "event: result"
    assert json.loads(events[-1][1].removeprefix("data: ")) == search(client, q="w7")
    assert {lines[0] for lines in events[:-1]} <= {"event: progress"}


def test_the_first_search_tells_how_far_it_is(empty_cache: Path, tmp_path: Path) -> None:
    """Its statistics take long for a large model: they are told to whoever asked, and in the health until they end."""
    residual = {"ids": [5, 6, 7], "position": 2}
    stream = {"Accept": "text/event-stream"}
    for ask in (
        lambda client: client.get("/api/search", params={"q": "w7"}, headers=stream),
        lambda client: client.post("/api/search", json=residual, headers=stream),
    ):
        app = tiny_app(tmp_path)
        with TestClient(app, base_url=BASE) as client:
            wait_until_ready(client)
            text = ask(client).text
            told = [json.loads(line.removeprefix("data: "))["step"] for line in text.split("\n") if '"step"' in line]
            assert list(dict.fromkeys(told)) == [
                "Measuring the vocabulary",
                "Measuring all vectors",
                "Searching all vectors",
            ]
            assert "event: result" in text
            assert client.get("/api/health").json()["step"] == ""
            search(client, q="w8")  # on the other thread now
            assert client.get("/api/health").json()["step"] == ""
            client.get("/api/values/L0D1")
            assert client.get("/api/health").json()["step"] == ""
        shutil.rmtree(empty_cache)


def test_residual_streams(client: TestClient) -> None:
    tiny = shared("llama")
    body = {"ids": [5, 6, 7, 8], "position": 2, "layer": 1, "limit": 4}
    expected = tiny.writers(tiny.place([5, 6, 7, 8], 2), layer=1, limit=4)
    assert client.post("/api/search", json=body).json() == json.loads(expected.model_dump_json())
    other = {"ids": [5, 6, 9], "interventions": ["L0D3=off"]}
    expected = tiny.writers(
        tiny.place([5, 6, 7, 8], 2), layer=1, against=tiny.place([5, 6, 9], interventions=["L0D3=off"]), limit=4
    )
    found = client.post("/api/search", json=body | {"against": other}).json()
    assert found == json.loads(expected.model_dump_json())


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 422, "bad_option"),
        ({"q": "/(/"}, 422, "bad_option"),
        ({"q": "w7", "like": "L0D1"}, 422, "bad_option"),
        ({"like": "L99D1"}, 404, "bad_value"),
        ({"q": "w7", "limit": 0}, 422, "bad_request"),
        ({"q": "w7", "limit": 5000}, 422, "bad_option"),
        ({"q": "w7", "sign": "*"}, 422, "bad_request"),
        ({"q": "w7", "layers": "5-1"}, 422, "bad_option"),
        ({"q": "w" * 3000}, 422, "bad_request"),
    ],
)
def test_errors(client: TestClient, asked: dict[str, object], status: int, code: str) -> None:
    response = client.get("/api/search", params=asked)
    assert (response.status_code, error(response)["code"]) == (status, code)


def test_errors_of_residual_streams(client: TestClient) -> None:
    same = {"ids": [5, 6], "against": {"ids": [5, 6]}}
    response = client.post("/api/search", json=same)
    assert error(response)["code"] == "bad_option"
    assert client.post("/api/search", json={"limit": 3}).status_code == 422
    assert client.post("/api/search", json={"ids": [5], "position": 7}).status_code == 422
