"""How the user's own programs and browser get in: files with the server's token that only the user can read.

    PORT.token   the token, for command-line and test clients: `curl -H "Authorization: Bearer $(cat …)"`
    PORT.html    a page that goes on to the URL with the token, so that no browser has the token among its arguments,
                 which every user of the machine can read

Both lie in the user's data folder and go when the server ends. Knows nothing of HTTP.
"""

import html
import os
from contextlib import suppress
from pathlib import Path

from lm_debugger.store.files import data_folder, private_folder, replace

FOLDER_VARIABLE = "LM_DEBUGGER_SERVERS"


def folder() -> Path:
    """Where the files lie: the variable LM_DEBUGGER_SERVERS, else `servers` in the user's data folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else data_folder() / "servers"


class Door:
    """The files of one server.

    Args:
        port: where it listens.
        token: what clients must know.
        address: the URL with the token.

    Raises:
        OSError: if they cannot be written.
    """

    def __init__(self, port: int, token: str, address: str) -> None:
        here = private_folder(folder())
        self.token = here / f"{port}.token"
        self.page = here / f"{port}.html"
        link = html.escape(address, quote=True)
        replace(self.token, f"{token}\n", private=True)
        self._written = f"{token}\n"
        replace(
            self.page,
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>LM-Debugger</title>'
            f'<meta http-equiv="refresh" content="0;url={link}"><a href="{link}">LM-Debugger</a></html>\n',
            private=True,
        )

    def close(self) -> None:
        """Remove the files, unless another server has put its own there."""
        with suppress(OSError):
            if self.token.read_text(encoding="utf-8") != self._written:
                return
            for file in (self.token, self.page):
                file.unlink(missing_ok=True)
