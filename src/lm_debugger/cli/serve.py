"""`lm-debugger serve`: the debugger as a web page and an HTTP API."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lm_debugger.cli import options
from lm_debugger.cli.loading import silence_libraries
from lm_debugger.cli.terminal import answer_console, notice_console
from lm_debugger.records.visible import printable

if TYPE_CHECKING:
    from lm_debugger.server.door import Door

_PORT = 8765


def serve(
    model: Annotated[
        str,
        typer.Argument(
            metavar="[MODEL]",
            envvar="LM_DEBUGGER_MODEL",
            help="A Hugging Face hub id, a folder, a GGUF file, or demo.",
            show_envvar=False,
        ),
    ] = options.DEMO,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            help="Address to listen on. Off this machine's own loopback the token cannot be turned off.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option("--port", help=f"Port to listen on; 0 for any. Without it {_PORT}, or a free one if it is taken."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="LM_DEBUGGER_TOKEN", help="What clients must know; without it a random one."),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option(
            "--no-token", help="Ask for no token: every program and user of this machine may then use the server."
        ),
    ] = False,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=0, help="Seconds that the work of one request may take; 0 for no limit."),
    ] = 900,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            envvar="LM_DEBUGGER_DATABASE",
            metavar="FILE|URL",
            help="Where names, notes and runs are kept: a file, or postgresql://user@host/name.",
        ),
    ] = None,
    lens: Annotated[
        str | None,
        typer.Option(
            "--lens",
            metavar="NAME|FILE",
            help="Read layers through this lens where a request names none; without it the logit lens.",
        ),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option(
            "--other",
            metavar="MODEL",
            help="Another model of the same shape (a fine-tune, another number format), to find where the two part. It "
            "is loaded after the first, in the same way, and takes as much memory again.",
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Serve the debugger's page and its HTTP API for MODEL.

    The URL is printed and opened in the browser at once; the model loads behind. Ctrl-C ends it. The URL holds the
    server's token; other programs of yours find it in a file that only you can read, which is named too.
    """
    silence_libraries()
    from lm_debugger.errors import OptionError
    from lm_debugger.server.app import create_app
    from lm_debugger.server.listen import new_token, open_port
    from lm_debugger.server.listen import serve as listen
    from lm_debugger.server.settings import Limits, Settings

    if no_token and token:
        raise OptionError("--no-token was given together with a token.", "Leave one of them out.")
    token = None if no_token else token or new_token()
    listener = open_port(host, _PORT if port is None else port, exactly=port is not None)
    chosen: int = listener.getsockname()[1]
    settings = Settings(
        model=model,
        other=other,
        device=device,
        dtype=dtype,
        trust_remote_code=trust_remote_code,
        host=host,
        port=chosen,
        token=token,
        database=database,
        lens=lens,
        limits=Limits(seconds=time_limit),
    )
    try:
        app = create_app(settings)
    except BaseException:
        listener.close()
        raise
    address = _address(host, chosen, token)
    door = _door(chosen, token, address)
    problem = app.state.services.database.problem

    def started() -> None:
        answer_console().print(Text(f"LM-Debugger: {address}"), soft_wrap=True)
        if door is not None:
            notice_console().print(Text(f"Its token, for other programs: {door.token}"), soft_wrap=True)
        if problem is not None:
            notice_console().print(
                Text(f"Names, notes and runs are not kept: {printable(str(problem))}"), soft_wrap=True
            )
        if not no_browser:
            _open_browser(address if token is None else "" if door is None else door.page.as_uri())

    try:
        listen(app, listener, started)
    finally:
        if door is not None:
            door.close()
    if app.state.services.worker.alive:
        _leave()


def _leave() -> None:
    """End the program while a thread is in the middle of a model: a usual end would take Python away under it."""
    import os

    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _door(port: int, token: str | None, address: str) -> "Door | None":
    """The files by which the user's own programs get in; None if there is no token, or they cannot be written."""
    from lm_debugger.server.door import Door

    if token is None:
        return None
    try:
        return Door(port, token, address)
    except OSError as error:
        notice_console().print(Text(f"The token could not be kept in a file: {error}"), soft_wrap=True)
        return None


def _open_browser(address: str) -> None:
    """Open an address; one that holds no token, since every user of the machine can read a program's arguments."""
    import threading
    import webbrowser

    if address:
        # Some browsers keep this call until they are closed.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _address(host: str, port: int, token: str | None) -> str:
    """The URL to open: with the token, and with a name that a browser can reach."""
    from urllib.parse import quote

    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")
