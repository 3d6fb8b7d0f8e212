"""What is kept between runs: the cache, listed and removed, and the history of the terminal session."""

from pathlib import Path

from lm_debugger.store.entries import listing, remove, remove_all
from lm_debugger.store.files import data_folder, private_file, private_folder

__all__ = ["history_file", "listing", "remove", "remove_all"]


def history_file() -> Path:
    """Where the commands of terminal sessions are kept; only the user can read it."""
    file = private_folder(data_folder()) / "debug-history"
    private_file(file)
    return file
