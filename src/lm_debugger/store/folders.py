"""Folders kept in the cache: built once, checked against a manifest on every use, the least recently used dropped.

A folder is built beside its place and renamed into it, under a lock: processes that start together build it once, and
one that is killed leaves nothing that could be taken for a whole folder. Knows nothing of what is in them.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from lm_debugger.store.checksum import of_file
from lm_debugger.work import Work

MANIFEST = "manifest.json"  # of every file its size and checksum; its time is that of the last use

_BUILD = "build-"
_LOOK_EVERY = 0.1  # seconds

# Writes the folder's files into the second folder; the first is for whatever else it needs, and removed afterwards.
Build = Callable[[Path, Path], None]


def kept(place: Path, build: Build, *, needed: AbstractSet[str], name: str, work: Work) -> Path:
    """The folder at `place`, checked; built first if it is not there or damaged.

    Args:
        place: where it is; folders beside it share a lock.
        build: writes its files.
        needed: names of files that it must have.
        name: what progress calls it.
        work: told of waiting for another process.

    Raises:
        OSError: if it cannot be written; and whatever `build` raises.
    """
    if not intact(place, needed):
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place.parent / "lock", name, work):
            if not intact(place, needed):
                _build(place, build)
    with suppress(OSError):
        os.utime(place / MANIFEST)
    return place


def intact(place: Path, needed: AbstractSet[str] = frozenset()) -> bool:
    """Whether the folder's files are those of its manifest, and those needed are among them."""
    try:
        manifest = json.loads((place / MANIFEST).read_text())
        if not needed <= manifest.keys():
            return False
        return all(
            (place / name).stat().st_size == of["size"] and of_file(place / name) == of["checksum"]
            for name, of in manifest.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def trim(parent: Path, limit: int, spare: Path, work: Work) -> None:
    """Remove the folders in `parent` that were not used for longest, until they hold at most `limit` bytes together.

    Args:
        parent: the folder of folders.
        limit: bytes.
        spare: stays, whatever its size.
        work: told of waiting for another process.
    """
    with _alone(parent / "lock", "the cache", work):
        found = sorted((last_used(place), place) for place in parent.iterdir() if (place / MANIFEST).is_file())
        held = {place: size(place) for _, place in found}
        for used, place in found:
            if sum(held.values()) <= limit:
                return
            if place != spare and last_used(place) == used:  # not taken into use meanwhile
                remove(place)
                del held[place]


def remove(place: Path) -> None:
    """Remove a folder whole: it is out of its place before the first file goes."""
    with tempfile.TemporaryDirectory(prefix=_BUILD, dir=place.parent, ignore_cleanup_errors=True) as scratch:
        place.rename(Path(scratch) / "removed")


def last_used(place: Path) -> float:
    """When a folder was last used, in seconds since 1970."""
    return (place / MANIFEST).stat().st_mtime


def size(place: Path) -> int:
    """Bytes that the files in a folder hold; files that vanish meanwhile count nothing."""
    total = 0
    for path in place.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    return total


@contextmanager
def _alone(path: Path, name: str, work: Work) -> Iterator[None]:
    """Hold the lock file; the system releases it if the process dies."""
    lock = filelock.FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_EVERY)
        except filelock.Timeout:
            work(f"Waiting for another process that prepares {name}")
    try:
        yield
    finally:
        lock.release()


def _build(place: Path, build: Build) -> None:
    for leftover in place.parent.glob(f"{_BUILD}*"):  # of a process that was killed: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_BUILD, dir=place.parent, ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        ready = scratch / "ready"
        ready.mkdir()
        build(scratch, ready)
        _write_manifest(ready)
        if place.exists():  # damaged
            place.rename(scratch / "damaged")
        ready.rename(place)


def _write_manifest(directory: Path) -> None:
    files = {path.name: {"size": path.stat().st_size, "checksum": of_file(path)} for path in directory.iterdir()}
    for path in directory.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    (directory / MANIFEST).write_text(json.dumps(files, indent=1, sort_keys=True))
