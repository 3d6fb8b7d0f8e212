"""One HTTP connection and how long it may take: for its headers, for its body. And how many there may be at once.

Uvicorn waits for ever for the rest of a request. Here a connection has `header_seconds` to send a request's head and
`body_seconds` to send the rest; over the cap the longest waiting connection that has not sent a whole head is closed
first, so that half-sent requests cannot shut out whole ones. Knows nothing of what is asked.

What is not covered: a client that reads its answer slowly keeps its connection, and one answer in memory.
"""

import asyncio
import sys
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_RESERVED_FILES = 64  # for the model's files, the database and the standard streams


class Connection(H11Protocol):
    """Uvicorn's connection with limits; see the file's first lines."""

    header_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = 30.0
    most: ClassVar[int] = 512

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # noqa: D102
        super().connection_made(transport)
        self._stage: tuple[str, object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.since = self.loop.time()
        self._watch()
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:  # noqa: D102
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:  # noqa: D102
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._stop_timer()
        super().connection_lost(exc)

    @property
    def unfinished(self) -> bool:
        """Whether no whole request is being answered here."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request, whatever its type says
        return cycle is None or cycle.response_complete

    def _watch(self) -> None:
        """Start the clock of what the client has to send now; it runs on however much arrives meanwhile."""
        if self.transport.is_closing():
            self._stop_timer()
            return
        if self.unfinished:
            stage, seconds = ("head", self.cycle), self.header_seconds
        elif self.cycle.more_body:
            stage, seconds = ("body", self.cycle), self.body_seconds
        else:
            stage, seconds = ("answer", self.cycle), 0.0
        if stage == self._stage:
            return
        self._stop_timer()
        self._stage, self.since = stage, self.loop.time()
        if seconds:
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        waiting = [one for one in self.connections if isinstance(one, Connection) and one.unfinished]
        min(waiting, key=lambda one: one.since, default=self).transport.abort()


def limited(header_seconds: float, body_seconds: float, most: int) -> type[Connection]:
    """Connections with these limits; `most` is lowered to what the system lets this process open."""
    settings = {"header_seconds": header_seconds, "body_seconds": body_seconds, "most": min(most, _files())}
    return type("LimitedConnection", (Connection,), settings)


def _files() -> int:
    """Connections that the limit of open files leaves room for; the limit is raised as far as the system allows."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(soft - _RESERVED_FILES, soft // 2)
