"""Serves the web page that was built into the package, or says that there is none. Knows nothing of what it shows."""

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"

_WITHOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>LM-Debugger</title>
<h1>LM-Debugger</h1>
<p>The API is running. The web page was not built into this installation.</p>
<ul>
<li><a href="/api/health">/api/health</a>: whether the model is there
<li><a href="/api/openapi.json">/api/openapi.json</a>: every route
</ul>
</html>
"""


class _Page(StaticFiles):
    """Files, and the page itself for every other path: where it stands is in the URL."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        # No file here is so large that a part of it would be asked for, and a range that cannot be met would be
        # answered in plain text.
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or Path(path).suffix or path.startswith("api/"):
                raise
            path = "index.html"
            response = await super().get_response(path, scope)
        # Names of built files hold their digest; the page must be asked for, or an update would not show.
        kept = path.startswith("assets/")
        response.headers["Accept-Ranges"] = "none"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response


def install(app: FastAPI, folder: Path) -> None:
    """Serve the page at every path that no route has."""
    if (folder / "index.html").is_file():
        # Not a mount, which would also take requests that a route refuses for their method.
        app.router.default = _Page(directory=folder, html=True)
        return

    async def without(_: Request) -> Response:
        return HTMLResponse(_WITHOUT)

    app.add_route("/", without, methods=["GET"], include_in_schema=False)
