"""Directions that people keep, by model and name: safetensors files in the user's data folder."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors
import safetensors.torch
from pydantic import ValidationError
from torch import Tensor

from lm_debugger.errors import DirectionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionListing, DirectionSummary, check_direction_name
from lm_debugger.store.files import data_folder, private_folder, replaced
from lm_debugger.store.header import metadata

_FOLDER = "directions"
_FILE = re.compile(r"(?P<fingerprint>[0-9a-f]+)-(?P<name>[a-z0-9][a-z0-9_-]*)\.safetensors", re.ASCII)
_ABOUT = "about"


def write(model: LoadedModel, about: DirectionSummary, vectors: Mapping[int, Tensor]) -> None:
    """Keep a direction for a model, in the place of an earlier one of its name.

    Args:
        vectors: by layer (hidden,), float32.

    Raises:
        DirectionError: if it cannot be written; what was there stays.
    """
    numbers = {str(layer): vector.clone() for layer, vector in vectors.items()}
    try:
        private_folder(data_folder() / _FOLDER)
        with replaced(_path(model.fingerprint, about.name)) as beside:
            safetensors.torch.save_file(numbers, beside, metadata={_ABOUT: about.model_dump_json()})
    except (OSError, safetensors.SafetensorError) as failure:
        raise DirectionError(f"The direction cannot be kept: {failure}.", "Make room, and try again.") from None


def read(model: LoadedModel, name: str, layers: Sequence[int]) -> list[Tensor]:
    """The vectors of a kept direction at some layers.

    Raises:
        DirectionError: if there is none of that name, or it has no such layer.
    """
    path = _path(model.fingerprint, name)
    try:
        found = safetensors.torch.load(path.read_bytes())
    except (OSError, safetensors.SafetensorError):
        raise DirectionError(f"There is no direction {name!r} of this model.", _cure(model.fingerprint)) from None
    missing = [layer for layer in layers if str(layer) not in found]
    if missing:
        having = sorted(map(int, found))
        raise DirectionError(
            f"The direction {name!r} has no vector for layer {missing[0]}.",
            f"It has layers {having[0]} to {having[-1]}." if len(having) > 1 else f"It has layer {having[0]}.",
        )
    return [found[str(layer)] for layer in layers]


def stamp(fingerprint: str, name: str) -> str:
    """Changes whenever a direction of that name is written."""
    try:
        told = _path(fingerprint, name).stat()
    except OSError:
        return ""
    return f"{told.st_mtime_ns} {told.st_ino}"


def listing(fingerprint: str | None = None) -> DirectionListing:
    """What is known of all directions, of all models or of one, by name. Reads no vector."""
    found = []
    folder = data_folder() / _FOLDER
    for path in sorted(folder.glob("*.safetensors")) if folder.is_dir() else ():
        match = _FILE.fullmatch(path.name)
        if match is None or fingerprint not in (None, match["fingerprint"]):
            continue
        try:
            with path.open("rb") as file:
                found.append(DirectionSummary.model_validate_json(metadata(file).get(_ABOUT, "")))
        except (OSError, ValueError, ValidationError):
            continue
    return DirectionListing(directions=tuple(sorted(found, key=lambda each: (each.name, each.model))))


def remove(fingerprint: str, name: str) -> None:
    """Forget a direction.

    Raises:
        DirectionError: if there is none.
    """
    try:
        _path(fingerprint, name).unlink()
    except OSError:
        raise DirectionError(f"There is no direction {name!r} of this model.", _cure(fingerprint)) from None


def _path(fingerprint: str, name: str) -> Path:
    return data_folder() / _FOLDER / f"{fingerprint}-{check_direction_name(name)}.safetensors"


def _cure(fingerprint: str) -> str:
    names = [each.name for each in listing(fingerprint).directions]
    return f"Use one of: {', '.join(names)}." if names else "Make one: lm-debugger direction add NAME --word WORD."
