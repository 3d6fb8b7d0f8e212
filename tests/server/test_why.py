"""`/api/why` answers what the debugger answers, and refuses what it cannot."""

import pytest
from starlette.testclient import TestClient

from lm_debugger.records.attention import HeadTable
from lm_debugger.records.flow import Flow
from lm_debugger.records.patch import PatchMap
from lm_debugger.records.path import PathMap
from lm_debugger.records.why import Why
from tests import tiny

PROMPT = "w5 w9 w17 w21"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"target": "w7", "against": "w9"},
        {"target_id": 7, "position": 1, "top_k": 3},
        {"layers": "1-2"},
        {"estimate": "relevance", "resample": "w5 w9 w30 w21", "verify": 2},
        {"estimate": False, "sources": True},
    ],
)
def test_it_is_the_debuggers_answer(client: TestClient, asked: dict) -> None:
    answer = client.post("/api/why", json={"prompt": PROMPT, **asked})
    assert answer.status_code == 200
    found = Why.model_validate_json(answer.text)
    words = {key.removesuffix("_id"): value for key, value in asked.items()}
    expected = tiny.shared("llama").why(PROMPT, **words)
    assert [part.part for part in found.parts] == [part.part for part in expected.parts]
    assert found.difference == pytest.approx(expected.difference, abs=1e-5)
    assert found.against == expected.against


def test_the_pages_body_with_nothing_left_out(client: TestClient) -> None:
    body = {"prompt": PROMPT, "interventions": ["L1D5=4"], "position": 2, "target_id": 7, "against_id": None}
    found = Why.model_validate_json(client.post("/api/why", json={**body, "top_k": 40}).text)
    assert (found.interventions, found.target.id, found.against) == (("L1D5=4.0",), 7, None)
    assert len(found.parts) == 40


def test_it_can_be_a_stream(client: TestClient) -> None:
    answer = client.post("/api/why", json={"prompt": PROMPT}, headers={"Accept": "text/event-stream"})
    assert "event: result" in answer.text


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"target": "elephant"}, "elephant"),
        ({"target": "w7", "target_id": 7}, "target_id"),
        ({"top_k": 5000}, "top_k"),
        ({"target_id": 4000}, "4000"),
        ({"layers": "7"}, "layer 7"),
    ],
)
def test_what_cannot_be_answered_is_told(client: TestClient, asked: dict, word: str) -> None:
    answer = client.post("/api/why", json={"prompt": PROMPT, **asked})
    assert answer.status_code == 422
    assert word in answer.text


def test_the_heads_of_a_prompt_are_the_debuggers(client: TestClient) -> None:
    answer = client.post("/api/heads", json={"prompt": PROMPT, "position": 2, "interventions": ["L1H2=off"]})
    assert answer.status_code == 200
    found = HeadTable.model_validate_json(answer.text)
    expected = tiny.shared("llama").heads(PROMPT, 2, ["L1H2=off"])
    assert [row.head for row in found.heads] == [row.head for row in expected.heads]
    assert found.heads[6].norm == 0
    for row, other in zip(found.heads, expected.heads, strict=True):
        assert row.previous == pytest.approx(other.previous, abs=1e-5)
        assert row.norm == pytest.approx(other.norm, abs=1e-5)


def test_the_flow_is_the_debuggers(client: TestClient) -> None:
    answer = client.post("/api/flow", json={"prompt": PROMPT, "position": 2, "threshold": 0.01})
    assert answer.status_code == 200
    found, expected = Flow.model_validate_json(answer.text), tiny.shared("llama").flow(PROMPT, 2, 0.01)
    keys = [[(e.kind, e.layer, e.source, e.target) for e in each.edges] for each in (found, expected)]
    assert keys[0] == keys[1]
    assert client.post("/api/flow", json={"prompt": PROMPT, "threshold": 0}).status_code == 422


@pytest.mark.parametrize("part", ["residual", "attention", "ffn", "heads"])
def test_a_patch_map_is_the_debuggers(client: TestClient, part: str) -> None:
    asked = {"prompt": PROMPT, "source": "w5 w30 w17 w21", "part": part, "target": "w7", "against_id": 9}
    answer = client.post("/api/patch", json=asked)
    assert answer.status_code == 200
    found = PatchMap.model_validate_json(answer.text)
    expected = tiny.shared("llama").patch(PROMPT, "w5 w30 w17 w21", part, "w7", 9)
    for row, other in zip(found.cells, expected.cells, strict=True):
        assert row == pytest.approx(other, abs=1e-4)
    assert client.post("/api/patch", json={**asked, "part": "norms"}).status_code == 422


def test_paths_are_the_debuggers_answer(client: TestClient) -> None:
    asked = {"prompt": PROMPT, "source": "w5 w9 w30 w21", "target": "w7", "against": "w9"}
    answer = client.post("/api/path-patch", json={**asked, "receiver": "L2H1", "through": "ffn"})
    assert answer.status_code == 200
    found = PathMap.model_validate_json(answer.text)
    expected = tiny.shared("llama").path_patch(
        PROMPT, asked["source"], "L2H1", "heads", "w7", "w9", through="ffn"
    )  # fmt: skip
    assert [path.sender for path in found.paths] == [path.sender for path in expected.paths]
    refused = client.post("/api/path-patch", json={**asked, "receiver": "L9H1"})
    assert refused.status_code in (400, 404, 422)
