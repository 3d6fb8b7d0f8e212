"""Recipes over HTTP: kept, changed, served as files and taken in from files; refused when they are not this model's."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from lm_debugger.edits import recipe as files
from lm_debugger.edits.recipe import read
from lm_debugger.records.recipe import SavedRecipe
from lm_debugger.store import database

from .live import error

EDITS = ["l1d5 = ON * .5 @ generated", "L2D3=off"]
PLAIN = ["L1D5=on*0.5@generated", "L2D3=off"]


def keep(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/recipes", json={"name": "a", "interventions": EDITS} | more)
    assert answer.status_code == 201, answer.text
    assert SavedRecipe.model_validate_json(answer.text)
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(autouse=True)
def _none_are_left(client: TestClient) -> Any:
    yield
    for one in client.get("/api/recipes").json()["recipes"]:
        client.delete(f"/api/recipes/{one['id']}")


def test_recipes_are_kept_changed_and_forgotten(client: TestClient) -> None:
    model = client.get("/api/model").json()["model"]
    first = keep(client, name="  sentiment ", note="two\nlines")
    assert (first["name"], first["note"], first["interventions"]) == ("sentiment", "two\nlines", PLAIN)
    assert (first["fingerprint"], first["model"]) == (model["fingerprint"], model["name"])
    second = keep(client)
    listed = client.get("/api/recipes").json()
    assert listed == {"fingerprint": model["fingerprint"], "recipes": [second, first]}
    body = {"name": "mood", "note": "", "interventions": ["L1D6+=2"]}
    changed = client.put(f"/api/recipes/{first['id']}", json=body)
    assert changed.json() == first | body | {"interventions": ["L1D6+=2.0"]}
    assert client.delete(f"/api/recipes/{second['id']}").status_code == 204
    assert client.get("/api/recipes").json()["recipes"] == [changed.json()]


def test_a_file_goes_out_and_comes_in_again(client: TestClient) -> None:
    first = keep(client, name="ünï “bad”/..\\", note="why")
    answer = client.get(f"/api/recipes/{first['id']}/file")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"] == 'attachment; filename="n-bad.recipe.txt"'
    recipe = read(answer.text)
    assert recipe.interventions == tuple(PLAIN)
    again = client.post("/api/recipes/import", json={"text": answer.text})
    assert again.status_code == 201
    different = ("id", "created")
    assert {k: v for k, v in again.json().items() if k not in different} == {
        k: v for k, v in first.items() if k not in different
    }
    nameless = keep(client, name="名前")
    file = client.get(f"/api/recipes/{nameless['id']}/file")
    assert f'"recipe-{nameless["id"]}.recipe.txt"' in file.headers["content-disposition"]


def test_another_models_file_is_refused_and_both_models_are_named(client: TestClient) -> None:
    model = client.get("/api/model").json()["model"]
    text = files.write(read(client.get(f"/api/recipes/{keep(client)['id']}/file").text)).replace(
        model["fingerprint"], "f" * 16
    )
    answer = client.post("/api/recipes/import", json={"text": text})
    assert (answer.status_code, error(answer)["code"]) == (409, "wrong_model")
    assert "f" * 16 in error(answer)["what"]
    assert model["fingerprint"] in error(answer)["what"]
    assert len(client.get("/api/recipes").json()["recipes"]) == 1


A = {"name": "a", "interventions": ["L1D5=off"]}
HEAD = "# LM-Debugger recipe\n# name: a\n# fingerprint: {}\n"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (A | {"name": ""}, 422, "bad_request"),
        (A | {"name": " "}, 422, "bad_recipe"),
        (A | {"name": "a\nb"}, 422, "bad_recipe"),
        (A | {"name": "x" * 101}, 422, "bad_request"),
        (A | {"note": "x" * 10_001}, 422, "bad_request"),
        (A | {"note": "\0"}, 422, "bad_request"),
        (A | {"interventions": []}, 422, "bad_request"),
        (A | {"interventions": ["nonsense"]}, 422, "bad_edit"),
        (A | {"interventions": ["L9D0=off"]}, 422, "bad_edit"),
        (A | {"interventions": ["L1D5=off", "L1D5=on@last"]}, 422, "bad_edit"),
        (A | {"interventions": ["L1D5=off@3"] * 257}, 422, "bad_option"),
    ],
)
def test_what_cannot_be_kept_is_refused(client: TestClient, body: Any, status: int, code: str) -> None:
    number = keep(client)["id"]
    for answer in (client.post("/api/recipes", json=body), client.put(f"/api/recipes/{number}", json=body)):
        assert (answer.status_code, error(answer)["code"]) == (status, code), answer.text
    assert len(client.get("/api/recipes").json()["recipes"]) == 1


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "bad_recipe", "empty"),
        ("L1D5=off", "bad_recipe", "first line"),
        (HEAD, "bad_recipe", "no edits"),
        (HEAD + "L1D5=of\n", "bad_recipe", "Line 4"),
        (HEAD + "L9D5=off\n", "bad_edit", "no layer 9"),
        (HEAD.replace("name: a", f"name: {'x' * 101}") + "L1D5=off\n", "bad_recipe", "101 characters"),
        (HEAD + "# note: x" + "y" * 10_000 + "\nL1D5=off\n", "bad_recipe", "note has 10,001"),
    ],
)
def test_files_that_cannot_be_taken_in_are_told(client: TestClient, text: str, code: str, says: str) -> None:
    fingerprint = client.get("/api/model").json()["model"]["fingerprint"]
    answer = client.post("/api/recipes/import", json={"text": text.format(fingerprint)})
    assert (answer.status_code, error(answer)["code"]) == (422, code)
    assert says in error(answer)["what"]


@pytest.mark.parametrize(("method", "path"), [("PUT", "7"), ("DELETE", "7"), ("GET", "7/file")])
def test_a_recipe_that_is_not_there(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, f"/api/recipes/{path}", json=A if method == "PUT" else None)
    assert (answer.status_code, error(answer)["code"]) == (404, "not_found")


def test_there_are_not_too_many(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "RECIPES_KEPT", 1)
    keep(client)
    answer = client.post("/api/recipes", json=A)
    assert (answer.status_code, error(answer)["code"]) == (422, "bad_option")
