"""Opens the address and serves an app on it until it is asked to stop. Knows nothing of models."""

import asyncio
import errno
import secrets
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from lm_debugger.errors import OptionError
from lm_debugger.server import connections, log

_LAST_PORT = 65535
_PATIENCE = 3  # seconds that requests going on get when the server stops


def open_port(host: str, port: int, *, exactly: bool) -> socket.socket:
    """A socket that listens already, so that a browser opened now waits instead of failing.

    Args:
        host: name or address to listen on.
        port: the port; 0 for any.
        exactly: refuse if the port is taken; otherwise take any free one.

    Raises:
        OptionError: if the address cannot be listened on.
    """
    if not 0 <= port <= _LAST_PORT:
        raise OptionError(f"--port is {port}.", f"Use one from 0 (any free one) to {_LAST_PORT}.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise OptionError(f"--host {host!r} is no address of this machine.", "Use 127.0.0.1.") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that just ended is no obstacle
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE and not exactly:
            return open_port(host, 0, exactly=True)
        raise _refused(host, port, error) from error
    return listener


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def configuration(app: FastAPI) -> uvicorn.Config:
    """How the app is served: with limits on connections and on the log."""
    limits = app.state.services.settings.limits
    log.limit()
    return uvicorn.Config(
        app,
        http=connections.limited(limits.header_seconds, limits.body_seconds, limits.connections),
        ws="none",
        log_level="warning",
        access_log=False,  # it would write the token
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE,
        lifespan="on",
    )


def serve(app: FastAPI, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve until the process is told to end (Ctrl-C or SIGTERM); work going on is given up.

    Args:
        started: called once the app answers.
    """
    config = configuration(app)
    server = _Server(config, started, app.state.services.worker.give_up_all)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return  # how a server is meant to be ended
    finally:
        listener.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await asyncio.to_thread(self._tell)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First, so that those who wait for long work get what there is before the connections are closed.
        self._stopping()
        await super().shutdown(sockets)


def _refused(host: str, port: int, error: OSError) -> OptionError:
    if error.errno == errno.EADDRINUSE:
        return OptionError(f"Port {port} is taken by another program.", "Choose another with --port; 0 takes any.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return OptionError(f"Port {port} may not be used.", "Choose one from 1024 on with --port.")
    return OptionError(f"--host {host!r} is no address of this machine.", "Use 127.0.0.1.")
