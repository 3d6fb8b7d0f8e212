"""GGUF files as ordinary folders: each is converted once and kept in the cache, under the key of its content.

What is kept is bounded: the models that were not used for longest go first. A file whose model would not fit, or a
cache that cannot be written, costs a warning, and the file is read as it is.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import torch
import transformers

from lm_debugger.errors import OptionError
from lm_debugger.source import convert
from lm_debugger.store import folders
from lm_debugger.store.cache import warn_once
from lm_debugger.store.content import content_key
from lm_debugger.store.home import FOLDER_VARIABLE, folder
from lm_debugger.work import Work

KIND = "converted"
ABOUT = "source.json"
LIMIT_VARIABLE = "LM_DEBUGGER_CACHE_LIMIT"

_LIMIT = 32.0  # GB
_GB = 10**9
_NEEDED = frozenset({"config.json", "model.safetensors", "tokenizer.json", ABOUT})
_FORMAT = 1  # of the folder


def find(path: Path, work: Work) -> Path | None:
    """The folder that holds the GGUF file's model, converted now if need be; None if it cannot be kept.

    Args:
        path: the GGUF file.
        work: told of the steps.

    Raises:
        OptionError: if the limit is no number.
        CancelledError: if cancelled. And whatever transformers raises on a file that it cannot read.
    """
    most = limit()
    try:
        place = folder() / KIND / _name(content_key(path, work))
        if not folders.intact(place, _NEEDED) and not _fits(path, most):
            return None
        build = partial(_build, path, work)
        found = folders.kept(place, build, needed=_NEEDED, name="a GGUF file", work=work)
        folders.trim(place.parent, most, found, work)
    except OSError as error:
        if not path.is_file():
            raise
        warn_once(f"The GGUF file cannot be kept converted in {folder()} and is converted again each time: {error}")
        return None
    return found


def limit() -> int:
    """Bytes that converted models may take together.

    Raises:
        OptionError: if the variable LM_DEBUGGER_CACHE_LIMIT holds no number.
    """
    told = os.environ.get(LIMIT_VARIABLE)
    try:
        gigabytes = _LIMIT if not told else float(told)
        if not 0 <= gigabytes < float("inf"):
            raise ValueError
    except ValueError:
        raise OptionError(
            f"{LIMIT_VARIABLE} is {told!r}.", "Give the gigabytes that converted models may take."
        ) from None
    return int(gigabytes * _GB)


def _name(key: str) -> str:
    """The folder's name. Other versions may convert, or name, things otherwise."""
    versions = f"{transformers.__version__}-{torch.__version__}".replace("+", "_")
    return f"{key[:32]}-{_FORMAT}-{versions}"


def _fits(path: Path, most: int) -> bool:
    """Whether the converted model may be kept; a warning says why not."""
    needed = convert.plain_bytes(path)
    (folder() / KIND).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder()).free
    if needed > most:
        why = f"more than {LIMIT_VARIABLE} allows ({most / _GB:.0f} GB)"
    elif needed > 0.9 * free:
        why = f"more than is free in {folder()} ({free / _GB:.0f} GB; {FOLDER_VARIABLE} chooses another folder)"
    else:
        return True
    warn_once(f"{path.name} is converted again each time: converted it takes {needed / _GB:.1f} GB, {why}.")
    return False


def _build(path: Path, work: Work, _scratch: Path, ready: Path) -> None:
    convert.convert(path, ready, work)
    about = {"file": str(path.resolve()), "bytes": path.stat().st_size}
    (ready / ABOUT).write_text(json.dumps(about, indent=1))
