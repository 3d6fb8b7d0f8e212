"""`/api/heads`: the head's view, the user's name in it, and errors that say what to do."""

from starlette.testclient import TestClient


def test_a_head_answers_with_its_circuit(client: TestClient) -> None:
    found = client.get("/api/heads/L1H2", params={"top_k": 3})
    assert found.status_code == 200
    head = found.json()
    assert (head["head"], head["layer"], head["index"], head["opaque"]) == ("L1H2", 1, 2, "")
    assert len(head["promotes"]) == len(head["suppresses"]) == len(head["copies"]) == 3
    values = [pair["value"] for pair in head["promotes"]]
    assert values == sorted(values, reverse=True)
    assert -1 <= head["copying"] <= 1


def test_a_stream_ends_with_the_same(client: TestClient) -> None:
    plain = client.get("/api/heads/L1H2").json()
    told = client.get("/api/heads/L1H2", headers={"Accept": "text/event-stream"}).text
    assert told.rstrip().splitlines()[-2] == "event: result"
    assert f'"rms":{plain["rms"]}' in told


def test_a_head_that_does_not_exist_is_named(client: TestClient) -> None:
    found = client.get("/api/heads/L1H9")
    assert found.status_code in (400, 404, 422)
    assert "layer 1 has no head 9" in found.json()["error"]["what"]
    assert "does not name a head" in client.get("/api/heads/L1D9").json()["error"]["what"]


def test_a_trace_lists_heads_beside_values(client: TestClient) -> None:
    layers = client.post("/api/trace", json={"prompt": "w5 w9 w17 w21"}).json()["layers"]
    assert [len(layer["heads"]) for layer in layers] == [4, 4, 4]
    assert set(layers[0]["heads"][0]) == {"head", "norm", "share", "name", "promotes"}
