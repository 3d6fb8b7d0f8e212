"""How every error is answered: one JSON shape, a status for each kind, no traceback. Knows no route."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lm_debugger.errors import (
    CalibrationError,
    CancelledError,
    DirectionError,
    DownloadError,
    EditError,
    EngineError,
    LensError,
    LMDebuggerError,
    MemoryLimitError,
    ModelLoadError,
    ModelNotFoundError,
    NoClustersError,
    NumericalError,
    OptionError,
    PromptError,
    RecipeError,
    ReentryError,
    SessionBusyError,
    SessionNotFoundError,
    StaleRunError,
    UnsupportedModelError,
    ValueNameError,
    WatchError,
    WrongModelError,
)
from lm_debugger.records.service import ErrorBody, ErrorDetail
from lm_debugger.store.engine import DatabaseError

log = logging.getLogger("lm_debugger.server")


class LoadingError(LMDebuggerError):
    """The model is not there yet."""

    code = "loading"


class BusyError(LMDebuggerError):
    """Too much work waits already."""

    code = "busy"


class StoppingError(LMDebuggerError):
    """The server is about to end."""

    code = "stopping"


class TimeLimitError(LMDebuggerError):
    """The work took longer than a request may."""

    code = "time_limit"


class ForbiddenError(LMDebuggerError):
    """A request that another site's page may have sent."""

    code = "forbidden"


class TokenError(LMDebuggerError):
    """A request without the server's token."""

    code = "token"


class TooLargeError(LMDebuggerError):
    """A request's body is larger than the limit."""

    code = "too_large"


class NotFoundError(LMDebuggerError):
    """What the request names does not exist."""

    code = "not_found"


class RequestError(LMDebuggerError):
    """A request that cannot be read."""

    code = "bad_request"


STATUS: dict[type[Exception], int] = {
    PromptError: 422,
    EditError: 422,
    WatchError: 422,
    RecipeError: 422,
    OptionError: 422,
    DirectionError: 422,
    LensError: 422,
    RequestError: 422,
    NumericalError: 422,
    ValueNameError: 404,
    NotFoundError: 404,
    NoClustersError: 404,
    SessionNotFoundError: 404,
    MemoryLimitError: 413,
    TooLargeError: 413,
    CalibrationError: 409,
    WrongModelError: 409,
    StaleRunError: 409,
    SessionBusyError: 409,
    ReentryError: 500,
    EngineError: 503,
    UnsupportedModelError: 409,
    CancelledError: 499,
    TokenError: 401,
    ForbiddenError: 403,
    LoadingError: 503,
    BusyError: 503,
    StoppingError: 503,
    TimeLimitError: 504,
    DatabaseError: 503,
    ModelNotFoundError: 503,
    ModelLoadError: 503,
    DownloadError: 503,
}

_RETRY_SECONDS: dict[type[Exception], str] = {LoadingError: "1", BusyError: "2", DatabaseError: "5"}
_HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "bad_request"}
_MOST_SAID = 4000  # characters of an error
_CURES = {
    400: "Send JSON with Content-Type: application/json; GET /api/openapi.json describes every request.",
    404: "GET /api/openapi.json lists every route.",
    405: "GET /api/openapi.json lists every route's methods.",
    413: "Send less at once.",
}


def detail(error: BaseException) -> ErrorDetail:
    """What a client is told of an error. One that nobody meant to raise is logged, and told without its details."""
    if isinstance(error, LMDebuggerError):
        return ErrorDetail(code=error.code, what=_short(error.what), cure=_short(error.cure))
    log.error("A request failed", exc_info=error)
    return ErrorDetail(
        code="bug", what="The server made a mistake.", cure="Its log says where; the model goes on. Please report it."
    )


def answer(error: BaseException) -> Response:
    """The response to an error; what is said of a class holds for those that are derived from it."""
    kinds = [kind for kind in type(error).__mro__ if issubclass(kind, Exception)]
    status = next((STATUS[kind] for kind in kinds if kind in STATUS), 500)
    retry = next((_RETRY_SECONDS[kind] for kind in kinds if kind in _RETRY_SECONDS), None)
    headers = {} if retry is None else {"Retry-After": retry}
    if isinstance(error, TokenError):
        headers["WWW-Authenticate"] = "Bearer"
    return respond(status, detail(error), headers)


def respond(status: int, found: ErrorDetail, headers: Mapping[str, str] | None = None) -> Response:
    """An error as JSON, in ASCII: what is wrong with a text may be that it is no valid Unicode."""
    content = ErrorBody(error=found).model_dump_json(ensure_ascii=True)
    return Response(content, status, headers, "application/json")


def install(app: FastAPI) -> None:
    """Answer every error of the app so."""

    async def ours(_: Request, error: Exception) -> Response:
        return answer(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        what, cure = _explain(error)
        return answer(RequestError(what, cure))

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = error.status_code
        found = ErrorDetail(
            code=_HTTP_CODES.get(status, "bad_request"), what=str(error.detail), cure=_CURES.get(status, "")
        )
        return respond(status, found, error.headers)

    app.add_exception_handler(LMDebuggerError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _explain(error: RequestValidationError) -> tuple[str, str]:
    """The first thing that is wrong with a request, and how many others are."""
    problems = error.errors()
    first = problems[0]
    if first["type"] == "json_invalid":
        return "The request's body is not JSON.", "Send JSON with Content-Type: application/json."
    place = ".".join(str(part) for part in first["loc"][1:]) or "body"
    message = _printable(str(first["msg"]))[:500]
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    cure = "Leave it out." if first["type"] == "extra_forbidden" else "GET /api/openapi.json describes every request."
    return f"{_printable(place)[:200]}: {message}{more}.", cure


def _short(text: str) -> str:
    """What is wrong may quote what was sent, which may be long."""
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}…"


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
