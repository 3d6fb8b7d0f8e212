"""Stands before every route: who may ask, how much may be sent, and the headers of every response.

A browser that the user has open is the danger: any page in it can send requests to this machine. So the Host must be
this server's (a page could make its own name point here), nothing that another site's page asks of the API is answered,
be it a change or not, and the client must know the token unless the user wants none. Whatever goes wrong behind is
answered here too, so that no response lacks the headers.

What is not covered: other programs of the same user on this machine may do what the user may. docs/security.md says
what is promised.
"""

import asyncio
import hashlib
import hmac
import html
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lm_debugger.errors import LMDebuggerError
from lm_debugger.server.failures import ForbiddenError, TokenError, TooLargeError, answer
from lm_debugger.server.settings import Settings

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_DRAINED = 32  # times the largest body: what is read of one that is larger, so that the refusal is heard
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware; see the file's first lines."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._cookie = f"lm_debugger_{settings.port}"  # cookies do not know ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 (ASGI)
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if _is_api(scope):
                    headers.setdefault("Cache-Control", "no-store")
                if welcome:
                    headers.append("Set-Cookie", welcome)
            await send(message)

        welcome = ""
        try:
            headers = Headers(scope=scope)
            self._check_host(headers)
            self._check_origin(scope, headers)
            welcome = self._check_token(scope, headers)
            if welcome and not _is_api(scope):
                await _without_token(scope)(scope, receive, dressed)
                return
            await self._app(scope, await self._limited(headers, receive), dressed)
        except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 (a library's panic too: no request may end the server)
            response = _refusal(error, scope)
            if not started:
                await response(scope, receive, dressed)

    def _check_host(self, headers: Headers) -> None:
        named = headers.getlist("host")
        if len(named) != 1:
            raise ForbiddenError("The request does not say which host it is for.", "Send one Host header.")
        host = _name(named[0])
        if not self._settings.allows(host):
            raise ForbiddenError(
                f"This server is not {host!r}.", f"Use http://{self._settings.host}:{self._settings.port}."
            )

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        if scope["method"] in _SAFE and not _is_api(scope):
            return  # a link elsewhere may open the page
        cure = "Open the server's own page, or use a program."
        origin = headers.get("origin")
        # Browsers send Origin with every change, and Sec-Fetch-Site with everything, such as an image's address.
        if origin is not None and origin.lower().partition("://")[2] != headers["host"].lower():
            raise ForbiddenError("Another site's page asked for this.", cure)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ForbiddenError("Another site's page asked for this.", cure)

    def _check_token(self, scope: Scope, headers: Headers) -> str:
        """Raise unless the client knows the token; the cookie to set if it said so in the URL."""
        token = self._settings.token
        if token is None:
            return ""
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(sent.strip(), token):
            return ""
        if any(name == "token" and _same(value, token) for name, value in _query(scope)):
            return f"{self._cookie}={_digest(token)}; Path=/; HttpOnly; SameSite=Strict"
        if any(_same(sent, _digest(token)) for sent in _cookies(headers, self._cookie)):
            return ""
        raise TokenError(
            "This server needs its token.",
            "Open the URL that it printed when it started, or send the header 'Authorization: Bearer TOKEN'; "
            "docs/security.md says which file holds it.",
        )

    async def _limited(self, headers: Headers, receive: Receive) -> Receive:
        limit = self._settings.limits.body_bytes
        what = f"The request is larger than {limit} bytes."
        said = headers.get("content-length", "0")
        if said.isascii() and said.isdigit() and int(said[:20]) > limit:
            if "expect" not in headers:  # who asks first has sent nothing yet
                await _drain(receive, _DRAINED * limit)
            raise TooLargeError(what, "Send less at once.")
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                if message.get("more_body"):
                    await _drain(receive, _DRAINED * limit)
                raise HTTPException(413, what)  # FastAPI takes any other error for a body that cannot be read
            return message

        return counted


def _is_api(scope: Scope) -> bool:
    return bool(scope["path"] == "/api" or scope["path"].startswith("/api/"))


def _refusal(error: BaseException, scope: Scope) -> Response:
    """For a person who opens a page without the token: a page; otherwise JSON."""
    if not isinstance(error, TokenError) or _is_api(scope):
        return answer(error)
    return HTMLResponse(page(error), 401, {"WWW-Authenticate": "Bearer"})


def page(error: LMDebuggerError) -> str:
    """An error as a small page."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>LM-Debugger</title>'
        f"<h1>LM-Debugger</h1><p>{html.escape(error.what)}</p><p>{html.escape(error.cure)}</p></html>"
    )


def _without_token(scope: Scope) -> Response:
    """Go on to the same page without the token in its address.

    A page that does so, and no redirect: after a click on another site, a Strict cookie is not sent along redirects.
    """
    rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
    # One leading slash: `//host/` would lead to another server.
    target = "/" + quote(scope["path"].lstrip("/")) + (f"?{rest}" if rest else "")
    address = html.escape(target)
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>LM-Debugger</title>'
        f'<meta http-equiv="refresh" content="0;url={address}"><a href="{address}">LM-Debugger</a></html>',
        headers={"Cache-Control": "no-store"},
    )


def _query(scope: Scope) -> list[tuple[str, str]]:
    try:
        return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return []


def _cookies(headers: Headers, name: str) -> list[str]:
    """Every cookie of that name. One by one, so that another program's that cannot be read does not hide ours."""
    pieces = [piece for header in headers.getlist("cookie") for piece in header.split(";")]
    return [found[name] for piece in pieces if name in (found := cookie_parser(piece))]


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if ":" in host else host


def _same(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode())


def _digest(token: str) -> str:
    """What the cookie holds: it lies on a disk, where the token itself should not."""
    return hashlib.sha256(b"lm-debugger cookie " + token.encode()).hexdigest()


async def _drain(receive: Receive, most: int) -> None:
    """Read the rest of a body that is refused: a client that still sends sees a reset connection, not the answer."""
    received = 0
    while received <= most:
        message = await receive()
        if not message.get("more_body"):
            return
        received += len(message.get("body", b""))
