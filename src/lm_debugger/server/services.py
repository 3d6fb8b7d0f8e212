"""What every route works with: the settings, the model's worker, the database. And how a record becomes a response."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from lm_debugger.records.base import Record
from lm_debugger.records.service import ErrorBody, Health
from lm_debugger.server.failures import detail
from lm_debugger.server.names import Names
from lm_debugger.server.settings import Settings
from lm_debugger.server.worker import ModelWorker
from lm_debugger.store.database import Database

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger
    from lm_debugger.debugger.stepping.sessions import OpenSessions


@dataclass(frozen=True)
class Services:
    """One for each app."""

    settings: Settings
    worker: ModelWorker
    database: Database
    _names: Names = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", Names(self.database))

    @property
    def debugger(self) -> "Debugger":
        """The model, for what needs neither a forward nor much arithmetic; raises LoadingError."""
        return self.worker.debugger

    @cached_property
    def sessions(self) -> "OpenSessions":
        """The debugging sessions. Made when first asked for: what they import would delay the start."""
        from lm_debugger.debugger.stepping.sessions import OpenSessions

        return OpenSessions(self.database)

    async def names(self) -> dict[str, str]:
        """The users' names of this model's value vectors."""
        return await self._names.of(self.debugger.summary.fingerprint)

    @property
    def health(self) -> Health:
        """The state of things, and what does not work although the server does."""
        health, problem = self.worker.health, self.database.problem
        if problem is None:
            return health
        return health.model_copy(update={"warnings": (*health.warnings, detail(problem))})


def _of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Here = Annotated[Services, Depends(_of)]


def as_json(record: Record) -> Response:
    """A record as a response: its own JSON, written once and not validated again."""
    return Response(record.model_dump_json(), media_type="application/json")


_ERRORS = {
    400: "The request cannot be read.",
    401: "The token is missing.",
    403: "Another site's page asked, or the Host is not this server's.",
    404: "What is asked for does not exist.",
    409: "The model cannot do this.",
    413: "Too large.",
    422: "The request is not valid.",
    499: "The work was given up.",
    500: "A mistake of the server.",
    504: "The work took longer than one request may.",
    503: "The model is still loading, or too many wait for it: try again after Retry-After seconds.",
}
ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorBody, "description": text} for status, text in _ERRORS.items()
}
