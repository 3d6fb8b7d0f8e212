"""Debugging sessions over HTTP: every verb, a reload, a restart, two users, what is refused."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lm_debugger.debugger.session import Debugger
from lm_debugger.records.session import RunDifference, SessionView
from tests import tiny

from .live import BASE, tiny_app, wait_until_ready

IDS = [5, 9, 17, 21]


@pytest.fixture(scope="module")
def engine() -> Debugger:
    """The same model without a server."""
    return tiny.debugger("llama")


def begin(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/sessions", json={"ids": IDS, "max_new_tokens": 6, **more})
    assert answer.status_code == 201, answer.text
    assert SessionView.model_validate_json(answer.text)
    found: dict[str, Any] = answer.json()
    return found


def say(client: TestClient, session: dict[str, Any], verb: str, method: str = "post", **body: Any) -> dict[str, Any]:
    answer = client.request(method, f"/api/sessions/{session['id']}/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids_of(view: dict[str, Any]) -> list[int]:
    return [node.token.id for node in SessionView(**view).path if node.token is not None]


def plain(engine: Debugger, **more: Any) -> list[int]:
    return [token.id for token in engine.generate(IDS, max_new_tokens=6, **more).tokens]


def test_a_session_from_beginning_to_end(client: TestClient, engine: Debugger) -> None:
    expected = plain(engine)
    third = engine.model.vocabulary.text(expected[2])
    session = begin(client, watches=["entropy()"], breakpoints=[f'"{third}"'], title=" mine ")
    assert (session["title"], session["stop"]["kind"], session["nodes"][0]["token"]) == ("mine", "start", None)
    stopped = say(client, session, "continue")
    assert (stopped["stop"]["kind"], stopped["stop"]["breakpoint"]) == ("breakpoint", 1)
    assert stopped["stop"]["because"][0]["value"] == third
    assert ids_of(stopped) == expected[: len(ids_of(stopped))]
    inside = say(client, session, "step", how="into")
    assert inside["frame"]["part"]["part"] == "attention"
    layer = say(client, session, "step", how="to", layer=2)
    assert layer["frame"]["part"]["layer"] == 2
    edited = say(client, session, "edits", "put", interventions=["L2D5=7"])
    assert (edited["interventions"], edited["frame"]["reused"]) == (["L2D5=7.0"], 2)
    out = say(client, session, "step", how="out")
    assert out["frame"] is None
    back = say(client, session, "back", count=1)
    assert ids_of(back) == ids_of(stopped)
    forced = say(client, session, "token", token_id=44)
    assert forced["interventions"] == ["L2D5=7.0"]  # those of the step that was undone
    assert ids_of(forced)[-1] == 44
    named = say(client, session, f"nodes/{forced['at']}", "put", name="branch")
    assert named["nodes"][-1]["name"] == "branch"
    assert say(client, session, "goto", node=out["at"])["at"] == out["at"]
    answer = client.post(f"/api/sessions/{session['id']}/difference", json={"first": "branch", "second": out["at"]})
    assert RunDifference.model_validate_json(answer.text).first == forced["at"]
    values = say(client, session, "evaluate", expressions=["entropy()", "top()"])["values"]
    assert isinstance(values[0], float)
    paths = say(client, session, "evaluate", expressions=["entropy()"], layers=True)["paths"]
    assert len(paths[0]["values"]) == 3
    view = say(client, session, "trace", node="branch")
    assert [token["id"] for token in view["tokens"]] == [*IDS, *ids_of(forced)]
    left = client.delete(f"/api/sessions/{session['id']}/nodes/branch").json()
    assert "branch" not in {node["name"] for node in left["nodes"]}
    assert client.delete(f"/api/sessions/{session['id']}").status_code == 204
    gone = client.get(f"/api/sessions/{session['id']}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "no_session")


def test_a_paused_session_holds_no_lane_and_is_listed(client: TestClient, engine: Debugger) -> None:
    session = begin(client)
    say(client, session, "step", count=2)
    say(client, session, "step", how="into")
    assert client.post("/api/trace", json={"ids": [7, 8]}).status_code == 200
    assert client.get("/api/health").json()["queue"]["waiting"] == 0
    listed = {each["id"]: each for each in client.get("/api/sessions").json()["sessions"]}
    assert listed[session["id"]]["awake"]
    assert listed[session["id"]]["tokens"] == 2
    assert ids_of(say(client, session, "continue")) == plain(engine)


def test_a_reload_finds_it_as_it_was(client: TestClient) -> None:
    session = begin(client, watches=["L1D5"], breakpoints=["1 > 2"])
    last = say(client, session, "step", count=3)
    assert client.get(f"/api/sessions/{session['id']}").json() == last


def test_after_a_restart_it_is_run_again_and_writes_the_same(tmp_path: Path, engine: Debugger) -> None:
    with TestClient(tiny_app(tmp_path), base_url=BASE) as first:
        wait_until_ready(first)
        session = begin(first, watches=["L1D5"], breakpoints=["1 > 2"], temperature=0.9, seed=3)
        say(first, session, "step", count=2)
        say(first, session, "edits", "put", interventions=["L1D5=4"])
        last = say(first, session, "step")
    with TestClient(tiny_app(tmp_path), base_url=BASE) as second:
        wait_until_ready(second)
        listed = second.get("/api/sessions").json()["sessions"]
        assert [(each["id"], each["awake"]) for each in listed] == [(session["id"], False)]
        found = second.get(f"/api/sessions/{session['id']}").json()
        for part in ("nodes", "at", "interventions", "breakpoints", "stop", "sampling", "run_interventions"):
            assert found[part] == last[part], part
        assert [watch["values"] for watch in found["watches"]] == [watch["values"] for watch in last["watches"]]
        after = ids_of(say(second, session, "continue"))
    alone = engine.debug(IDS, max_new_tokens=6, temperature=0.9, seed=3)
    alone.over(2)
    alone.edit(["L1D5=4"])
    assert [node.token.id for node in alone.continue_().path if node.token is not None] == after


def test_two_users_do_not_meet(client: TestClient, engine: Debugger) -> None:
    """In turns and at once: each session writes what it writes alone."""
    one, other = begin(client), begin(client, interventions=["L1D5=9"], breakpoints=["1 > 2"])
    for _ in range(2):
        say(client, one, "step")
        say(client, other, "step")
    found: dict[str, list[int]] = {}

    def go(session: dict[str, Any]) -> None:
        found[session["id"]] = ids_of(say(client, session, "continue"))

    threads = [threading.Thread(target=go, args=(session,)) for session in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found[one["id"]] == plain(engine)
    assert found[other["id"]] == [token.id for token in engine.generate(IDS, ["L1D5=9"], max_new_tokens=6).tokens]


def test_tokens_are_streamed(client: TestClient, engine: Debugger) -> None:
    session = begin(client)
    answer = client.post(f"/api/sessions/{session['id']}/continue", json={"stream": True})
    events = [part.split("\n") for part in answer.text.strip().split("\n\n") if part.startswith("event")]
    tokens = [json.loads(data.removeprefix("data: "))["token"]["id"] for name, data in events if name == "event: token"]
    assert tokens == plain(engine)
    assert events[-1][0] == "event: result"


def test_watches_are_checked_and_completed(client: TestClient) -> None:
    wrong = client.post("/api/watches", json={"expression": "p(Paris)"}).json()
    assert (wrong["error"]["at"], wrong["expression"]) == (2, None)
    right = client.post("/api/watches", json={"expression": "ent", "cursor": 3}).json()
    assert [each["text"] for each in right["suggestions"]] == ["entropy()"]
    condition = client.post("/api/watches", json={"expression": "differs", "condition": True}).json()
    assert condition["expression"] == "top() != top(base)"


def test_breakpoints_that_stay_keep_their_numbers(client: TestClient) -> None:
    session = begin(client, breakpoints=["1 > 2", "2 > 3"])
    changed = say(client, session, "breakpoints", "put", breakpoints=["2 > 3", "3 > 4"])
    assert [(each["number"], each["expression"]) for each in changed["breakpoints"]] == [(2, "2 > 3"), (3, "3 > 4")]
    assert [w["expression"] for w in say(client, session, "watches", "put", watches=["L1D5", "l1d5"])["watches"]] == [
        "L1D5"
    ]


def test_what_is_refused(client: TestClient) -> None:
    session = begin(client)
    path = f"/api/sessions/{session['id']}"
    for verb, body, status in (
        ("back", {}, 422),
        ("step", {"how": "to"}, 422),
        ("step", {"how": "over", "layer": 2}, 422),
        ("step", {"how": "to", "layer": 99}, 422),
        ("step", {"count": 0}, 422),
        ("goto", {"node": "nowhere"}, 422),
        ("token", {}, 422),
        ("token", {"token_id": 5}, 422),
        ("evaluate", {"expressions": ["p("]}, 422),
        ("evaluate", {"expressions": ["entropy()"]}, 422),
        ("difference", {"first": "a", "second": "b"}, 422),
    ):
        answer = client.post(f"{path}/{verb}", json=body)
        assert answer.status_code == status, (verb, body, answer.text)
        assert answer.json()["error"]["cure"]
    assert client.put(f"{path}/edits", json={"interventions": ["L99D1=off"]}).status_code == 422
    assert client.put(f"{path}/watches", json={"watches": ["nonsense("]}).json()["error"]["code"] == "bad_watch"
    assert client.post("/api/sessions/none/back", json={}).status_code == 404
    assert client.post("/api/sessions", json={"ids": IDS, "max_new_tokens": 10**6}).status_code == 422
    assert client.get(path).json() == session
