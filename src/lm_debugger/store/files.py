"""Files that people keep: written beside and then put in place, and private ones that only the user can read.

Knows nothing of what is in them. A full disk or a kill leaves the old file as it was.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def data_folder() -> Path:
    """The user's data folder of this program. It need not exist."""
    return Path(platformdirs.user_data_dir("lm-debugger", appauthor=False))


def private_folder(path: Path) -> Path:
    """Make a folder that only the user can look into; if it is there and ours to change, close it to others.

    Raises:
        OSError: if it cannot be made.
    """
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with suppress(OSError):
        if path.stat().st_mode & 0o077:
            path.chmod(PRIVATE_FOLDER)
    return path


def private_file(path: Path) -> None:
    """See that a file is there and that only the user can read it, before anything is written into it.

    Raises:
        OSError: if it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE_FILE))
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_FILE)


def replace(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text file in place of what was there, whole or not at all. A link is followed.

    Args:
        private: only the user can read it; otherwise it keeps the mode of what was there, or gets the usual one.

    Raises:
        OSError: if it cannot be written; what was there stays.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(PRIVATE_FILE if private else _mode(path))
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file beside `path` to be written in the block, which then takes its place whole. A link is followed.

    Raises:
        OSError: if it cannot be written; what was there stays.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.chmod(_mode(path))
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _mode(path: Path) -> int:
    """The mode that the file has, or that a new one would get."""
    with suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
