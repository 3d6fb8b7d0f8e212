"""The cache folder, and arrays kept in it between runs: safetensors files, one for each kind and model.

Knows nothing of what the arrays mean. Whatever is here can be computed again, so nothing here may stop the
program: a file that is damaged or belongs to something else counts as missing, and a folder that cannot be
written costs a warning. What people make (names, notes, runs) is not kept here. No pickle.
"""

import hashlib
import json
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from lm_debugger.store.header import metadata
from lm_debugger.store.home import FOLDER_VARIABLE, folder

__all__ = ["FOLDER_VARIABLE", "Entry", "folder", "read", "warn_once", "write"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STALE_SECONDS = 24 * 3600
_warned: set[str] = set()


@dataclass(frozen=True)
class Entry:
    """What was found in the cache.

    Args:
        arrays: the arrays as they were written, on the CPU; yours to change.
        text: the text that was written with them.
    """

    arrays: Mapping[str, torch.Tensor]
    text: str

    def about(self, **kinds: type) -> dict[str, Any] | None:
        """The text as a JSON object, or None if it lacks a field of these types: other code wrote it."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return None
        if not isinstance(found, dict) or not all(type(found.get(name)) is kind for name, kind in kinds.items()):
            return None
        return found

    def has(self, **shapes: tuple[int, ...]) -> bool:
        """Whether there are arrays of these names and shapes."""
        return all(name in self.arrays and tuple(self.arrays[name].shape) == shape for name, shape in shapes.items())


def read(kind: str, fingerprint: str, version: int) -> Entry | None:
    """What `write` kept, or None if there is nothing that can be trusted.

    Args:
        kind: what the arrays are, such as `calibration`; names the file's folder.
        fingerprint: the model (or other source) they were computed from.
        version: of the caller's format; a file of another version counts as missing.

    Raises:
        ValueError: if kind or fingerprint could not be part of a file name.
    """
    path = _path(kind, fingerprint)
    try:
        with path.open("rb") as file:  # once, because it may be replaced at any time; and not mapped, or cut short
            told = metadata(file)
            if any(told.get(key) != value for key, value in _identity(kind, fingerprint, version).items()):
                return None
            file.seek(0)
            arrays = safetensors.torch.load(file.read())
    except (OSError, ValueError, safetensors.SafetensorError):
        return None
    text = told.get("text", "")
    if told.get("digest") != _digest(arrays, text):
        return None
    with suppress(OSError):
        os.utime(path)  # the time of its last use
    return Entry(arrays, text)


def write(kind: str, fingerprint: str, version: int, arrays: Mapping[str, torch.Tensor], text: str = "") -> None:
    """Keep arrays for `read`, in place of what was there. If the folder cannot be written, warn once and go on.

    Args:
        kind: what the arrays are, such as `calibration`.
        fingerprint: the model (or other source) they were computed from.
        version: of the caller's format.
        arrays: any shapes and dtypes that safetensors knows.
        text: kept with them, usually JSON.

    Raises:
        ValueError: if kind or fingerprint could not be part of a file name.
    """
    path = _path(kind, fingerprint)
    plain = {name: array.detach().to("cpu").contiguous().clone() for name, array in arrays.items()}
    told = _identity(kind, fingerprint, version) | {"text": text, "digest": _digest(plain, text)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path.parent)
        with _replacing(path) as temporary:
            safetensors.torch.save_file(plain, temporary, metadata=told)
    except (OSError, safetensors.SafetensorError) as error:
        warn_once(f"Results cannot be kept in the cache folder {folder()} and are computed again each time: {error}")


def warn_once(message: str) -> None:
    """Warn, but never twice with the same words in one process."""
    if message not in _warned:
        _warned.add(message)
        warnings.warn(message, stacklevel=3)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place, complete and on disk, when the block succeeds.

    Each writer has a file of its own, so of two processes that write at once the last one wins whole.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _remove_stale(directory: Path) -> None:
    """Remove what writers that were killed have left behind (older than a day: nobody writes for that long)."""
    for leftover in directory.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                leftover.unlink()


def _path(kind: str, fingerprint: str) -> Path:
    for part in (kind, fingerprint):
        if not _NAME.fullmatch(part):
            raise ValueError(f"{part!r} cannot be part of a cache file's name")
    return folder() / kind / f"{fingerprint}.safetensors"


def _identity(kind: str, fingerprint: str, version: int) -> dict[str, str]:
    return {"kind": kind, "fingerprint": fingerprint, "version": str(version)}


def _digest(arrays: Mapping[str, torch.Tensor], text: str) -> str:
    """Of names, dtypes, shapes, contents and text: safetensors itself would not notice a flipped byte."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
