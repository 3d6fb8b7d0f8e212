"""`/api/lenses` and the `lens` of every read-out: names only, never files."""

from starlette.testclient import TestClient

PROMPT = {"prompt": "w5 w9 w17 w21"}


def test_a_lens_is_fitted_listed_used_and_named(client: TestClient) -> None:
    asked = {"kind": "jacobian", "prompts": 4, "tokens": 20}
    fitted = client.post("/api/lenses/fit", json={**asked, "force": True}).json()
    assert fitted["lens"]["name"] == "jacobian"
    assert not fitted["cached"]
    assert "jacobian" in [each["name"] for each in client.get("/api/lenses").json()["lenses"]]
    assert client.post("/api/lenses/fit", json=asked).json()["cached"]
    seen = {**PROMPT, "lens": "jacobian"}
    plain, trace = (client.post("/api/trace", json=body).json() for body in (PROMPT, seen))
    assert (plain["lens"], trace["lens"]) == ("logit", "jacobian")
    assert trace["layers"][0]["after"] != plain["layers"][0]["after"]
    assert trace["output"] == plain["output"]
    assert client.post("/api/grid", json=seen).json()["lens"] == "jacobian"
    assert client.post("/api/trajectory", json={**seen, "tokens": [5]}).json()["lens"] == "jacobian"
    assert client.post("/api/why", json=seen).json()["lens"] == "jacobian"
    assert client.post("/api/heads", json=seen).json()["lens"] == "jacobian"
    assert client.post("/api/generate", json={**seen, "max_new_tokens": 2}).json()["lens"] == "jacobian"
    assert client.post("/api/search", json=seen).json()["lens"] == "jacobian"
    for path, query in (("search", {"q": "w7"}), ("values/L0D5", {}), ("heads/L0H1", {})):
        assert client.get(f"/api/{path}", params={**query, "lens": "jacobian"}).json()["lens"] == "jacobian"
        assert client.get(f"/api/{path}", params=query).json()["lens"] == "logit"
    compared = client.post("/api/lenses/compare", json={"tokens": 20, "pushes": 2}).json()
    assert compared["layers"][0]["jacobian"]["kl"] > 0
    assert compared["tokens"] == 20


def test_a_fit_streams_its_progress(client: TestClient) -> None:
    asked = {"kind": "tuned", "prompts": 4, "tokens": 20, "force": True, "stream": True}
    told = client.post("/api/lenses/fit", json=asked).text
    assert "event: progress" in told
    assert told.rstrip().splitlines()[-2] == "event: result"


def test_a_lens_that_is_not_there_is_told(client: TestClient) -> None:
    found = client.post("/api/trace", json={**PROMPT, "lens": "nothing"})
    assert found.status_code == 422
    assert found.json()["error"]["code"] == "bad_lens"


def test_files_cannot_be_named(client: TestClient) -> None:
    for name in ("../lens.pt", "/etc/passwd", "lens.pt", "a/b", "x.safetensors", "..", "A", "", "x" * 41):
        assert client.post("/api/trace", json={**PROMPT, "lens": name}).status_code == 422, name
        assert client.get("/api/search", params={"q": "w7", "lens": name}).status_code == 422, name
        assert "no file" not in client.get("/api/values/L0D5", params={"lens": name}).text
