"""`/api/compare`: two runs' predictions beside each other are each run's own."""

import pytest
from fastapi.testclient import TestClient

from lm_debugger.records.trace import Comparison
from tests import tiny


def test_each_side_is_its_own_run(client: TestClient) -> None:
    engine = tiny.debugger("llama")
    sides = ({"prompt": "w5 w6 w7", "position": -1}, {"prompt": "w8 w9", "interventions": ["L1D5=4"], "position": 0})
    answer = client.post("/api/compare", json={"a": sides[0], "b": sides[1], "top_k": 3})
    found = Comparison.model_validate_json(answer.text)
    before = engine.trace("w5 w6 w7").logits(-1).softmax(-1)
    after = engine.trace("w8 w9", ["L1D5=4"]).logits(0).softmax(-1)
    assert {token.id for token in found.tokens} == {*before.topk(3).indices.tolist(), *after.topk(3).indices.tolist()}
    for token in found.tokens:
        assert token.probability_before == pytest.approx(float(before[token.id]), rel=1e-4)
        assert token.probability_after == pytest.approx(float(after[token.id]), rel=1e-4)
        assert token.rank_before == int((before > before[token.id]).sum()) + 1
    assert found.kl == pytest.approx(float((before * (before / after).log()).sum()), rel=1e-3)
    assert found.changed


def test_a_run_and_itself_do_not_differ(client: TestClient) -> None:
    side = {"prompt": "w5 w6 w7"}
    found = Comparison.model_validate(client.post("/api/compare", json={"a": side, "b": side}).json())
    assert found.kl == pytest.approx(0, abs=1e-6)
    assert not found.changed


def test_bad_sides_say_what_to_do(client: TestClient) -> None:
    side = {"prompt": "w5 w6 w7"}
    for body in (
        {"a": side},
        {"a": side, "b": {**side, "position": 9}},
        {"a": side, "b": {**side, "interventions": ["no"]}},
    ):
        answer = client.post("/api/compare", json=body)
        assert answer.status_code in {400, 422}
        assert set(answer.json()["error"]) == {"code", "what", "cure"}
