"""`lm-debugger serve`: the debugger as a web page and an HTTP API."""

from typing import Annotated

import typer
from rich.text import Text

from lm_debugger.cli import options
from lm_debugger.cli.loading import silence_libraries
from lm_debugger.cli.terminal import answer_console

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
            help="Address to listen on. On any but this machine's own loopback a token is required, "
            "which is part of the URL that is printed.",
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
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            envvar="LM_DEBUGGER_DATABASE",
            metavar="FILE|URL",
            help="Where names, notes and runs are kept: a file, or postgresql://user@host/name.",
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Serve the debugger's page and its HTTP API for MODEL.

    The URL is printed and opened in the browser at once; the model loads behind. Ctrl-C ends it.
    """
    silence_libraries()
    from lm_debugger.server.app import create_app
    from lm_debugger.server.listen import new_token, open_port
    from lm_debugger.server.listen import serve as listen
    from lm_debugger.server.settings import Settings, is_loopback

    if token is None and not is_loopback(host):
        token = new_token()
    listener = open_port(host, _PORT if port is None else port, exactly=port is not None)
    chosen: int = listener.getsockname()[1]
    settings = Settings(
        model=model,
        device=device,
        dtype=dtype,
        trust_remote_code=trust_remote_code,
        host=host,
        port=chosen,
        token=token or None,
        database=database,
    )
    try:
        app = create_app(settings)
    except BaseException:
        listener.close()
        raise
    address = _address(host, chosen, token)

    def started() -> None:
        answer_console().print(Text(f"LM-Debugger: {address}"), soft_wrap=True)
        if not no_browser:
            import threading
            import webbrowser

            # Some browsers keep this call until they are closed.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    listen(app, listener, started)


def _address(host: str, port: int, token: str | None) -> str:
    """The URL to open: with the token, and with a name that a browser can reach."""
    from urllib.parse import quote

    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")
