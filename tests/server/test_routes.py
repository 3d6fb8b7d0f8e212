"""Every route on a tiny model: it answers what the engine answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lm_debugger.debugger.session import Debugger
from lm_debugger.records.grid import LensGrid
from lm_debugger.records.trace import TraceView
from lm_debugger.records.trajectory import CoefficientPath, Trajectory
from tests import tiny

from .live import BASE, tiny_app, wait_until_ready

PROMPT = "w5 w9 w17 w21"
EDITS = ["L1D5=4", "L2D3*=-2@last"]


@pytest.fixture(scope="module")
def engine() -> Debugger:
    """The same model without a server."""
    return tiny.debugger("llama")


def close(found: Any, expected: Any) -> bool:
    """Whether two JSON values are the same up to the last bits of a float."""
    if isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[key], expected[key]) for key in expected)
    return bool(found == expected)


def test_health_and_model(client: TestClient) -> None:
    health = client.get("/api/health").json()
    assert (health["status"], health["queue"], health["error"]) == ("ready", {"waiting": 0, "limit": 32}, None)
    model = client.get("/api/model").json()
    assert model["model"]["layers"] == 3
    assert model["examination"]["supported"]
    assert model["model"]["fingerprint"] == model["examination"]["fingerprint"]


@pytest.mark.parametrize("edits", [[], EDITS])
def test_trace_is_the_engines(client: TestClient, engine: Debugger, edits: list[str]) -> None:
    answer = client.post("/api/trace", json={"prompt": PROMPT, "interventions": edits, "position": 1, "top_k": 4})
    assert answer.status_code == 200
    assert TraceView.model_validate_json(answer.text)
    expected = json.loads(engine.trace(PROMPT, edits).view(1, 4).model_dump_json())
    assert close(answer.json(), expected)


def test_token_ids_are_a_prompt_too(client: TestClient) -> None:
    by_text = client.post("/api/trace", json={"prompt": PROMPT}).json()
    assert client.post("/api/trace", json={"ids": [5, 9, 17, 21]}).json() == by_text


def test_another_position_is_a_readout(client: TestClient) -> None:
    worker = client.app.state.services.worker  # type: ignore[attr-defined]
    forwards = 0
    submit = worker.submit_forward

    def counted(work: Any) -> Any:
        nonlocal forwards
        forwards += 1
        return submit(work)

    worker.submit_forward = counted
    try:
        for position in (0, 1, 2, -1):
            for path, more in (("trace", {}), ("trajectory", {"tokens": [3]})):
                asked = {"prompt": "w30 w31 w32", "interventions": EDITS, "position": position, **more}
                assert client.post(f"/api/{path}", json=asked).status_code == 200
    finally:
        del worker.submit_forward
    assert forwards == 1


def test_grid(client: TestClient, engine: Debugger) -> None:
    answer = client.post("/api/grid", json={"prompt": PROMPT, "token": 28, "interventions": EDITS})
    grid = LensGrid.model_validate_json(answer.text)
    trace = engine.trace(PROMPT, EDITS)
    for position in range(4):
        view = trace.view(position, 90)
        for layer in range(3):
            after = view.layers[layer].after
            assert grid.id[layer][position] == after[0].id
            assert grid.texts[after[0].id] == after[0].text
            assert grid.probability[layer][position] == pytest.approx(after[0].probability, abs=1e-5)
            assert grid.token is not None
            if any(score.id == 28 for score in after):
                rank = next(place for place, score in enumerate(after, 1) if score.id == 28)
                assert grid.token.rank[layer][position] == rank
                assert grid.token.probability[layer][position] == pytest.approx(after[rank - 1].probability, abs=1e-5)
        logits = trace.logits(position).log_softmax(-1)
        assert grid.entropy[2][position] == pytest.approx(float(-(logits.exp() * logits).sum()), abs=1e-4)
        if position < 3:
            assert grid.surprise[position + 1] == pytest.approx(float(-logits[trace.ids[position + 1]]), abs=1e-4)
    assert grid.surprise[0] is None


def test_a_region_of_the_grid(client: TestClient) -> None:
    whole = client.post("/api/grid", json={"prompt": PROMPT}).json()
    part = client.post("/api/grid", json={"prompt": PROMPT, "layers": [2, 0], "positions": [-1, 1]}).json()
    assert part["positions"] == [3, 1]
    assert part["id"] == [[whole["id"][layer][place] for place in (3, 1)] for layer in (2, 0)]
    assert close(part["surprise"], [whole["surprise"][3], whole["surprise"][1]])
    assert part["token"] is None


def test_trajectory(client: TestClient, engine: Debugger) -> None:
    answer = client.post(
        "/api/trajectory", json={"prompt": PROMPT, "interventions": EDITS, "position": 2, "tokens": [28, 5]}
    )
    found = Trajectory.model_validate_json(answer.text)
    trace = engine.trace(PROMPT, EDITS)
    assert trace.baseline is not None
    assert found.baseline is not None
    assert len(found.stages) == 6
    for run, paths in ((trace, found.tokens), (trace.baseline, found.baseline)):
        logits = run.logits(2)
        for path in paths:
            assert path.logit[-1] == pytest.approx(float(logits[path.id]), rel=1e-4)
            assert path.probability[-1] == pytest.approx(float(logits.softmax(-1)[path.id]), rel=1e-4)
            assert path.rank[-1] == int((logits > logits[path.id]).sum()) + 1


@pytest.mark.parametrize(("model_type", "value"), [("llama", "L1D5"), ("mixtral", "L1E2D5")])
def test_coefficients_along_the_text(tmp_path_factory: pytest.TempPathFactory, model_type: str, value: str) -> None:
    engine = tiny.debugger(model_type)
    with TestClient(tiny_app(tmp_path_factory.mktemp("x"), model_type), base_url=BASE) as client:
        wait_until_ready(client)
        asked = {"prompt": PROMPT, "interventions": [f"{value}=4@last"]}
        answer = client.post(f"/api/values/{value}/coefficients", json=asked)
        found = CoefficientPath.model_validate_json(answer.text)
    assert found.baseline is not None
    base = engine.trace(PROMPT)
    for position, coefficient in enumerate(found.baseline):
        entries = {v.value: v.coefficient for v in base.view(position, 5000).layers[1].values}
        assert coefficient == pytest.approx(entries.get(value, 0.0), rel=1e-4, abs=1e-6)
    if model_type == "llama":
        assert found.coefficients[-1] == pytest.approx(4)
    assert found.coefficients[:-1] == pytest.approx(found.baseline[:-1])


def test_generation_in_one_piece_and_as_a_stream(client: TestClient, engine: Debugger) -> None:
    asked = {"prompt": PROMPT, "interventions": EDITS, "max_new_tokens": 6}
    expected = json.loads(engine.generate(PROMPT, EDITS, max_new_tokens=6).model_dump_json())
    assert close(client.post("/api/generate", json=asked).json(), expected)

    answer = client.post("/api/generate", json=asked, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = read_events(answer.text)
    assert [name for name, _ in events] == ["token"] * 6 + ["result"]
    assert close([data for name, data in events if name == "token"], expected["tokens"])
    assert close(events[-1][1], expected)


def read_events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_a_stream_ends_with_its_error(client: TestClient) -> None:
    answer = client.post("/api/generate", json={"prompt": PROMPT, "interventions": ["L99D0=off"], "stream": True})
    (name, data), = read_events(answer.text)  # fmt: skip
    assert (name, data["error"]["code"]) == ("error", "bad_edit")


def test_a_value_and_its_name(client: TestClient) -> None:
    view = client.get("/api/values/l1d5", params={"top_k": 7}).json()
    assert (view["value"], view["name"], view["note"], len(view["promotes"])) == ("L1D5", None, "", 7)
    named = client.put("/api/values/L1D5/name", json={"name": " <script>alert(1)</script> ", "note": "a\nnote"})
    assert named.json()["name"] == "<script>alert(1)</script>"
    assert client.get("/api/values/L1D5").json()["name"] == "<script>alert(1)</script>"
    assert [n["value"] for n in client.get("/api/names").json()["names"]] == ["L1D5"]
    for view in (
        client.post("/api/trace", json={"prompt": PROMPT, "top_k": 50}).json(),
        client.post("/api/trace", json={"prompt": PROMPT, "top_k": 50, "interventions": EDITS}).json()["baseline"],
    ):
        names = {v["value"]: v["name"] for layer in view["layers"] for v in layer["values"]}
        assert names.pop("L1D5") == "<script>alert(1)</script>"
        assert set(names.values()) == {None}
    assert client.put("/api/values/L1D5/name", json={"name": "", "note": ""}).json() is None
    assert client.get("/api/names").json()["names"] == []


def test_a_trace_as_a_stream(client: TestClient) -> None:
    for prompt in ("w40 w41 w42", "w40 w41 w42"):  # a new run, and one that is kept
        asked = {"prompt": prompt, "interventions": EDITS}
        events = read_events(client.post("/api/trace", json=asked, headers={"Accept": "text/event-stream"}).text)
        assert [name for name, _ in events] == ["result"]
        assert events[0][1] == client.post("/api/trace", json=asked).json()
    asked = {"prompt": PROMPT, "position": 99, "stream": True}
    (name, data), = read_events(client.post("/api/trace", json=asked).text)  # fmt: skip
    assert (name, data["error"]["code"]) == ("error", "bad_option")


def test_the_first_on_tells_how_far_its_calibration_is(empty_cache: Path, tmp_path: Path) -> None:
    with TestClient(tiny_app(tmp_path), base_url=BASE) as fresh:
        wait_until_ready(fresh)
        asked = {"prompt": PROMPT, "interventions": ["L1D5=on"], "stream": True}
        events = read_events(fresh.post("/api/trace", json=asked).text)
        assert {name for name, _ in events[:-1]} == {"progress"}
        assert all(data["step"] == "Measuring coefficients" and data["total"] > 0 for _, data in events[:-1])
        assert events[-1][0] == "result"
        assert [name for name, _ in read_events(fresh.post("/api/trace", json=asked).text)] == ["result"]


def test_a_long_text_is_cut_like_a_short_one(client: TestClient) -> None:
    asked = {"text": "w5 w9", "special": True}
    short = client.get("/api/tokens", params={"text": "w5 w9", "special": "true"})
    assert client.post("/api/tokens", json=asked).json() == short.json()
    long = client.post("/api/tokens", json={"text": "w5 " * 20_000})
    assert [token["id"] for token in long.json()["tokens"]] == [5] * 20_000


def test_tokens(client: TestClient) -> None:
    found = client.get("/api/tokens", params={"text": "w5 w9"}).json()["tokens"]
    assert [(token["position"], token["id"], token["text"].strip()) for token in found] == [(0, 5, "w5"), (1, 9, "w9")]


def test_calibration(client: TestClient) -> None:
    answer = client.post("/api/calibrate", json={"tokens": 1000, "force": True, "stream": True})
    events = read_events(answer.text)
    assert {name for name, _ in events} == {"progress", "result"}
    assert events[-1][0] == "result"
    assert not events[-1][1]["cached"]
    assert client.post("/api/calibrate", json={"tokens": 1000}).json()["cached"]
    assert client.get("/api/values/L1D5").json()["range"] is not None


def test_a_new_calibration_gives_on_a_new_meaning(client: TestClient) -> None:
    asked = {"prompt": PROMPT, "interventions": ["L1D5=on"]}
    for seed in (1, 2):
        client.post("/api/calibrate", json={"tokens": 500, "seed": seed, "force": True})
        high = client.get("/api/values/L1D5").json()["range"]["high"]
        found = client.post("/api/values/L1D5/coefficients", json=asked).json()
        assert found["coefficients"] == pytest.approx([high] * 4, rel=1e-5)


def test_runs(client: TestClient) -> None:
    kept = client.post(
        "/api/runs", json={"prompt": PROMPT, "interventions": ["l1d5 = OFF"], "position": 2, "title": "first"}
    )
    assert kept.status_code == 201
    assert kept.json()["interventions"] == ["L1D5=off"]
    second = client.post("/api/runs", json={"prompt": PROMPT}).json()
    assert [run["id"] for run in client.get("/api/runs").json()["runs"]] == [second["id"], kept.json()["id"]]
    assert client.delete(f"/api/runs/{second['id']}").status_code == 204
    assert client.get("/api/runs").json()["runs"] == [kept.json()]


def test_runs_are_a_tree_with_titles(client: TestClient) -> None:
    root = client.post("/api/runs", json={"prompt": PROMPT}).json()
    asked = {"prompt": PROMPT, "interventions": EDITS, "parent": root["id"], "view": "layer=1&show=base"}
    child = client.post("/api/runs", json=asked).json()
    assert (child["parent"], child["view"], root["parent"]) == (root["id"], "layer=1&show=base", None)
    titled = client.put(f"/api/runs/{child['id']}", json={"title": " with edits "})
    assert titled.json() == child | {"title": "with edits"}
    client.delete(f"/api/runs/{root['id']}")
    assert client.get("/api/runs").json()["runs"][0] == child | {"title": "with edits", "parent": None}


def test_examples(client: TestClient) -> None:
    assert "My wife is working as a" in client.get("/api/examples").json()["prompts"]


def test_the_schema_names_every_record(client: TestClient) -> None:
    schema = client.get("/api/openapi.json").json()
    assert {"TraceView", "LensGrid", "Trajectory", "Generation", "NamedValue", "ErrorBody"} <= set(
        schema["components"]["schemas"]
    )
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorBody")


def test_every_route_is_documented(client: TestClient) -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in documentation


def test_without_a_built_page_it_says_so(client: TestClient) -> None:
    assert "The API is running" in client.get("/").text
