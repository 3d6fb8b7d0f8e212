"""Lists what the cache holds, and removes it. Imports nothing heavy; touches nothing that the cache did not make.

Array files name their model by its fingerprint; what a fingerprint was called when it was last opened is read from the
proofs, which are kept for every model.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lm_debugger.errors import OptionError
from lm_debugger.records.cache import CacheEntry, CacheKind, CacheListing, CacheRemoval
from lm_debugger.store.header import metadata
from lm_debugger.store.home import folder

ARRAYS: tuple[CacheKind, ...] = (
    "anatomy",
    "calibration",
    "clusters",
    "statistics",
    "lenses",
    "lensfits",
    "held",
    "lengths",
    "words",
)
FOLDERS: tuple[CacheKind, ...] = ("converted", "demo")
CONTENT: CacheKind = "content"

_LEAST = 4  # characters that a fingerprint may be cut to
_STALE_SECONDS = 24 * 3600


def listing() -> CacheListing:
    """All entries, the last used first. Files that vanish meanwhile are left out."""
    names = _names()
    found = [
        *(entry for kind in ARRAYS for path in _files(kind, "*.safetensors") for entry in _array(kind, path, names)),
        *(entry for kind in FOLDERS for path in _files(kind, "*/manifest.json") for entry in _folder(kind, path)),
        *(entry for path in _files(CONTENT, "*.json") for entry in _content(path)),
    ]
    found.sort(key=lambda entry: (-entry.used.timestamp(), entry.key))
    return CacheListing(folder=str(folder()), bytes=sum(entry.bytes for entry in found), entries=tuple(found))


def remove(keys: Sequence[str]) -> CacheRemoval:
    """Remove entries.

    Args:
        keys: of entries as in the listing; or kinds, such as `clusters`; or fingerprints (or what they begin with).

    Raises:
        OptionError: if a key names nothing that is kept, or an entry cannot be removed.
    """
    known = listing().entries
    chosen: dict[str, CacheEntry] = {}
    for key in keys:
        matching = [entry for entry in known if _matches(entry, key)]
        if not matching:
            raise OptionError(f"The cache holds nothing named {key!r}.", "`lm-debugger cache` lists what there is.")
        chosen |= {entry.key: entry for entry in matching}
    return _removed(tuple(chosen.values()))


def remove_all() -> CacheRemoval:
    """Remove all entries, and what writers that were killed have left behind.

    Raises:
        OptionError: if an entry cannot be removed.
    """
    removal = _removed(listing().entries)
    for kind in (*ARRAYS, *FOLDERS, CONTENT):
        for leftover in (*_files(kind, ".*.tmp"), *_files(kind, "build-*")):
            with suppress(OSError):
                if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:  # nobody writes for that long
                    _delete(leftover)
    return removal


def texts(kind: CacheKind, version: int) -> list[tuple[str, str]]:
    """The names of a kind's array files and the text that each carries, the last used first. Reads no array."""
    found = []
    for path in _files(kind, "*.safetensors"):
        with suppress(OSError, ValueError), path.open("rb") as file:
            told = metadata(file)
            if told.get("kind") == kind and told.get("version") == str(version):
                found.append((path.stat().st_mtime, path.stem, told.get("text", "")))
    return [(name, text) for _, name, text in sorted(found, key=lambda each: (-each[0], each[1]))]


def forget(kind: CacheKind, name: str) -> None:
    """Remove an array file, if it is there."""
    with suppress(OSError):
        (folder() / kind / f"{name}.safetensors").unlink()


def _removed(entries: tuple[CacheEntry, ...]) -> CacheRemoval:
    for entry in entries:
        path = folder() / entry.key
        if entry.kind in ARRAYS:
            path = path.with_name(f"{path.name}.safetensors")
        elif entry.kind == CONTENT:
            path = path.with_name(f"{path.name}.json")
        try:
            _delete(path)
        except FileNotFoundError:
            pass  # somebody else removed it
        except OSError as error:
            raise OptionError(f"{path} cannot be removed: {error.strerror}.", "Check who owns it.") from error
    return CacheRemoval(bytes=sum(entry.bytes for entry in entries), removed=entries)


def _delete(path: Path) -> None:
    if not path.is_dir():
        path.unlink()
        return
    with suppress(FileNotFoundError):
        (path / "manifest.json").unlink()  # first, so that a folder that is half gone is not taken for whole
    shutil.rmtree(path)


def _matches(entry: CacheEntry, key: str) -> bool:
    fingerprint = entry.key.partition("/")[2]
    return key in (entry.key, entry.kind) or (len(key) >= _LEAST and fingerprint.startswith(key))


def _files(kind: str, pattern: str) -> list[Path]:
    place = folder() / kind
    return sorted(place.glob(pattern)) if place.is_dir() else []


def _entry(kind: CacheKind, name: str, model: str, size: int, used: float) -> CacheEntry:
    when = datetime.fromtimestamp(int(used), UTC)
    return CacheEntry(key=f"{kind}/{name}", kind=kind, model=model, bytes=size, used=when)


def _array(kind: CacheKind, path: Path, names: dict[str, str]) -> Iterator[CacheEntry]:
    with suppress(OSError):
        of = path.stat()
        yield _entry(kind, path.stem, names.get(path.stem.split("-")[0], ""), of.st_size, of.st_mtime)


def _folder(kind: CacheKind, manifest: Path) -> Iterator[CacheEntry]:
    place = manifest.parent
    model = kind if kind == "demo" else _told(place / "source.json", lambda about: about["file"])
    with suppress(OSError):
        size = sum(path.stat().st_size for path in place.iterdir())
        yield _entry(kind, place.name, model, size, manifest.stat().st_mtime)


def _content(path: Path) -> Iterator[CacheEntry]:
    with suppress(OSError):
        of = path.stat()
        yield _entry(CONTENT, path.stem, _told(path, lambda about: about["path"]), of.st_size, of.st_mtime)


def _names() -> dict[str, str]:
    """What models were called, by their fingerprints."""
    names: dict[str, str] = {}
    for path in _files("anatomy", "*.safetensors"):
        with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
            examined = json.loads(metadata(file)["text"])["examination"]
            names |= {
                path.stem.split("-")[0]: str(examined["model"]),
                str(examined["fingerprint"]): str(examined["model"]),
            }
    return names


def _told(path: Path, read: Callable[[Any], object]) -> str:
    """What a JSON file says, or "" if it cannot be read."""
    try:
        return str(read(json.loads(path.read_text())))
    except (OSError, ValueError, KeyError, TypeError):
        return ""
