"""`/api/fix` and `/api/bisect` answer what the debugger answers, and refuse what they cannot."""

import pytest
from starlette.testclient import TestClient

from lm_debugger.records.bisect import Bisection
from lm_debugger.records.effects import SideEffects, Sweep
from lm_debugger.records.fix import Fix, Fixes
from tests import tiny

PROMPT = "w5 w9 w17 w21"


def wanted(text: str, rank: int = 2) -> str:
    return tiny.shared("llama").trace(text).view(top_k=rank + 1).output[rank].text


def test_a_fix_is_the_debuggers(client: TestClient) -> None:
    answer = client.post("/api/fix", json={"prompt": PROMPT, "target": wanted(PROMPT)})
    assert answer.status_code == 200
    assert set(answer.json()) >= {
        "prompt", "from", "to", "success", "edits", "before", "after", "kl", "side_effects", "forwards", "seconds",
    }  # fmt: skip
    found = Fix.model_validate_json(answer.text)
    assert found.success
    assert found.after[0].text == wanted(PROMPT)
    again = client.post("/api/trace", json={"prompt": PROMPT, "interventions": list(found.edits), "top_k": 1}).json()
    assert again["output"][0]["id"] == found.to.id


def test_it_can_be_a_stream(client: TestClient) -> None:
    body = {"prompt": PROMPT, "target": wanted(PROMPT), "stream": True, "side_effects": False}
    answer = client.post("/api/fix", json=body)
    assert "event: progress" in answer.text
    assert "event: result" in answer.text


def test_several_with_one_set_of_edits(client: TestClient) -> None:
    other = "w30 w9 w44"
    cases = [{"prompt": text, "target": wanted(text, 1)} for text in (PROMPT, other)]
    answer = client.post("/api/fix/all", json={"cases": cases})
    assert answer.status_code == 200
    found = Fixes.model_validate_json(answer.text)
    assert len(found.fixes) == 2
    assert all(each.edits == found.edits for each in found.fixes)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({}, "wanted"),
        ({"target": "elephant"}, "elephant"),
        ({"target": "w7", "target_id": 7}, "target_id"),
        ({"target": "w7", "max_edits": 0}, "max_edits"),
        ({"target": "w7", "budget": 1}, "budget"),
        ({"target": "w7", "position": 40}, "40"),
        ({"target": "w7", "held": ["w5"]}, "fewer than two"),
    ],
)
def test_what_cannot_be_fixed_is_told(client: TestClient, asked: dict, word: str) -> None:
    answer = client.post("/api/fix", json={"prompt": PROMPT, **asked})
    assert answer.status_code == 422
    assert word in answer.text


def test_a_bisection_is_the_debuggers(client: TestClient) -> None:
    answer = client.post("/api/bisect", json={"prompt": PROMPT, "source": "w5 w30 w17 w44"})
    assert answer.status_code == 200
    assert set(answer.json()) >= {"answer", "other", "layer", "position", "part", "units", "flips"}
    found = Bisection.model_validate_json(answer.text)
    expected = tiny.shared("llama").bisect(PROMPT, "w5 w30 w17 w44")
    assert (found.layer, found.part, found.units, found.flips) == (
        expected.layer, expected.part, expected.units, expected.flips,
    )  # fmt: skip


def test_runs_of_one_prompt_with_different_edits_are_bisected(client: TestClient) -> None:
    debugger = tiny.shared("llama")
    ids = debugger.model.vocabulary.encode(PROMPT)
    edit = next(
        edit
        for index in range(8)
        for edit in (f"L1D{index}=900@last", f"L1D{index}=-900@last")
        if debugger.trace(ids, [edit]).view().output[0].id != debugger.trace(ids).view().output[0].id
    )
    body = {"ids": ids, "source_ids": ids, "interventions": ["L0D1=0"], "source_interventions": ["L0D1=0", edit]}
    answer = client.post("/api/bisect", json=body)
    assert answer.status_code == 200, answer.text
    found = Bisection.model_validate_json(answer.text)
    assert (found.layer, found.part, found.units, found.flips) == (1, "ffn", (edit.partition("=")[0],), True)
    assert found.interventions == ("L0D1=0.0",)
    for wrong in ({"source_interventions": ["L0D1=0"]}, {"source": PROMPT, "source_ids": ids}):
        assert client.post("/api/bisect", json={"prompt": PROMPT, **wrong}).status_code == 422


def test_a_bisection_needs_another_run(client: TestClient) -> None:
    answer = client.post("/api/bisect", json={"prompt": PROMPT})
    assert answer.status_code == 422
    assert "no other run" in answer.text


def test_a_sweep_and_side_effects_are_the_debuggers(client: TestClient) -> None:
    answer = client.post("/api/sweep", json={"prompt": PROMPT, "unit": "L1D5", "low": -9, "high": 9, "points": 3})
    assert answer.status_code == 200, answer.text
    found = Sweep.model_validate_json(answer.text)
    assert found.points == tiny.shared("llama").sweep(PROMPT, "L1D5", low=-9, high=9, points=3).points
    answer = client.post("/api/side-effects", json={"interventions": ["L1D5=60"], "held": [PROMPT, "w3 w4 w5"]})
    effects = SideEffects.model_validate_json(answer.text)
    assert effects.prompts == len(effects.texts) == 2
    assert effects.kl > 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sweep", {"prompt": PROMPT, "unit": "L99D1"}),
        ("sweep", {"prompt": PROMPT, "unit": "L1D5", "points": 1000}),
        ("sweep", {"prompt": PROMPT, "unit": "L1D5", "low": 3, "high": 1}),
        ("side-effects", {"interventions": []}),
        ("side-effects", {"interventions": ["L1D5=2"], "held": [""]}),
    ],
)
def test_what_cannot_be_swept_or_measured_is_refused(client: TestClient, path: str, body: dict[str, object]) -> None:
    answer = client.post(f"/api/{path}", json=body)
    assert answer.status_code in (400, 404, 422), answer.text
    assert set(answer.json()["error"]) >= {"code", "what", "cure"}
