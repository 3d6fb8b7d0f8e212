"""Identifies a file by its content, and remembers that of files that have not changed.

A SHA-256 of the whole file is remembered in the cache with the file's device, inode, size and times of change. Any
writing changes at least the last of them (the inode's own time, which no program can set), so a changed file is read
anew. A file changed within the last seconds is not remembered: a second change could fall on the same time.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from lm_debugger.store.home import folder
from lm_debugger.work import Work

KIND = "content"

_YOUNG = 2.0  # seconds; file systems round times to at most two
_PIECE = 1 << 24  # bytes


def content_key(path: Path, work: Work) -> str:
    """64 hexadecimal digits that identify the file's content.

    Raises:
        OSError: if it cannot be read.
        CancelledError: if cancelled.
    """
    path = path.resolve()
    memory = folder() / KIND / f"{hashlib.sha256(str(path).encode(errors='surrogatepass')).hexdigest()[:32]}.json"
    stamp = _stamp(path)
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(memory.read_text())
        if known["stamp"] == stamp and isinstance(known["sha256"], str) and len(known["sha256"]) == 64:
            return str(known["sha256"])
    digest = _sha256(path, work)
    if _stamp(path) == stamp and time.time() - path.stat().st_ctime > _YOUNG:
        _remember(memory, {"path": str(path), "stamp": stamp, "sha256": digest})
    return digest


def _stamp(path: Path) -> list[int]:
    of = path.stat()
    return [of.st_dev, of.st_ino, of.st_size, of.st_mtime_ns, of.st_ctime_ns]


def _sha256(path: Path, work: Work) -> str:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            work("Reading the file", done, total)
    return digest.hexdigest()


def _remember(memory: Path, what: dict[str, object]) -> None:
    """Write the memory whole or not at all; it is no loss if it cannot be written."""
    temporary = memory.with_name(f".{memory.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(what))
        temporary.replace(memory)
