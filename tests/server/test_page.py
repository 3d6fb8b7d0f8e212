"""A built page is served for every path that is not the API's, and nothing outside its folder is."""

from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from lm_debugger.server import failures, page

from .live import error


def test_a_built_page(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>the page")
    (folder / "assets" / "a-1234.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    app = FastAPI()
    failures.install(app)

    @app.get("/api/thing")
    def thing() -> None: ...

    page.install(app, folder)
    client = TestClient(app)
    for path in ("/", "/explore", "/explore/L1D5"):
        answer = client.get(path)
        assert (answer.text, answer.headers["cache-control"]) == ("<p>the page", "no-cache")
    assert "immutable" in client.get("/assets/a-1234.js").headers["cache-control"]
    for path in ("/assets/other.js", "/api/nothing", "/favicon.ico"):
        answer = client.get(path)
        assert answer.status_code == 404
        error(answer)
    assert client.post("/api/thing").status_code == 405
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/..%5csecret.txt"):
        assert "secret" not in client.get(path).text
