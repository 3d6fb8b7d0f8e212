"""Lens files: the `.pt` of the Jacobian lens's reference implementation, read and written; and our own `.safetensors`.

The reference's file (github.com/anthropics/jacobian-lens) is `torch.save` of

    {"J": {layer: (d_model, d_model) matrix, …}, "n_prompts": int, "source_layers": [layer, …], "d_model": int}

where J[layer] takes the stream after the layer to the stream after the last one. We add `fingerprint` and `model`,
which it does not read. A file may come from anybody: no code of it is run (weights-only loading), and nothing is
unpacked that is not as large as the file itself.
"""

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor

from lm_debugger.errors import LensError
from lm_debugger.lenses import kept
from lm_debugger.lenses.lens import FittedLens
from lm_debugger.records.lens import LensSummary
from lm_debugger.store.files import replaced
from lm_debugger.store.header import metadata

SUFFIXES = (".pt", ".safetensors")
_OURS = "lm-debugger lens"
_HALF = torch.finfo(torch.float16)
_TEXT = 200  # characters of a file's own words that are believed
_BYTES = 4  # of a number, at most


def is_file(name: str) -> bool:
    """Whether the text means a lens file, and not the name of a lens that is kept."""
    return name.endswith(SUFFIXES) or "/" in name or "\\" in name


def read(path: Path, hidden: int, layers: int) -> FittedLens:
    """Read a lens file for a model.

    Args:
        hidden: width of the model's residual stream.
        layers: how many layers it has.

    Raises:
        LensError: if the file cannot be read, is no lens, or is one for another shape of model.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise LensError(f"{path} is not a file.", "Give the path of a lens file.")
        if path.suffix == ".safetensors":
            return _read_ours(path, hidden, layers)
        return _read_reference(path, size, hidden, layers)
    except FileNotFoundError:
        raise LensError(f"There is no file {path}.", "Give the path of a lens file.") from None
    except OSError as failure:
        raise LensError(f"{path} cannot be read: {failure}.", "Give the path of a lens file.") from None


def write(lens: FittedLens, path: Path) -> None:
    """Write a lens file, in place of what was there; `.pt` is the reference's, which knows Jacobian lenses alone.

    Raises:
        LensError: if it cannot be written; what was there stays.
    """
    if path.suffix not in SUFFIXES:
        raise LensError(f"{path} has no known suffix.", f"Name it with {' or '.join(SUFFIXES)}.")
    if path.suffix == ".pt" and lens.offsets:
        raise LensError("A .pt file holds no offsets, which a tuned lens has.", "Name the file with .safetensors.")
    try:
        with replaced(path) as beside:
            if path.suffix == ".pt":
                torch.save(_payload(lens), beside)
            else:
                told = {"format": _OURS, "text": lens.about.model_dump_json()}
                numbers = {name: array.contiguous() for name, array in kept.arrays(lens).items()}
                safetensors.torch.save_file(numbers, beside, metadata=told)
    except (OSError, RuntimeError, safetensors.SafetensorError) as failure:
        raise LensError(f"{path} cannot be written: {failure}.", "Give the path of a file to write.") from None


def _payload(lens: FittedLens) -> dict[str, Any]:
    # Half precision as the reference writes it, where the numbers fit.
    fits = all(float(matrix.abs().max()) <= _HALF.max for matrix in lens.matrices.values())
    dtype = torch.float16 if fits else torch.float32
    return {
        "J": {layer: matrix.to(dtype).contiguous().clone() for layer, matrix in lens.matrices.items()},
        "n_prompts": lens.about.prompts,
        "source_layers": list(lens.matrices),
        "d_model": lens.about.hidden,
        "fingerprint": lens.about.fingerprint,
        "model": lens.about.model,
    }


def _read_reference(path: Path, size: int, hidden: int, layers: int) -> FittedLens:
    if size > 2 * layers * hidden * hidden * _BYTES + (1 << 20):
        raise LensError(f"{path} is larger than any lens of this model.", "Give a lens of this model.")
    _check_archive(path, size)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise LensError(f"{path} holds more than plain numbers and is not opened.", "Give a lens file.") from None
    except Exception as failure:  # noqa: BLE001  # whatever a file from anybody makes the reader raise
        raise LensError(f"{path} is no lens file ({type(failure).__name__}).", "Give a lens file.") from None
    if not isinstance(found, dict) or not isinstance(found.get("J"), dict):
        raise LensError(f"{path} is no lens: it has no J.", "A lens file holds J, n_prompts, source_layers, d_model.")
    if _whole(found.get("d_model", hidden)) != hidden:
        raise LensError(
            f"{path} is a lens for a residual stream of width {_said(found['d_model'])}.",
            f"This model's has width {hidden}: give a lens of this model.",
        )
    matrices = _matrices(path, found["J"], hidden, layers)
    named = found.get("source_layers")
    if named is not None and (not isinstance(named, list | tuple) or sorted(map(_whole, named)) != list(matrices)):
        raise LensError(f"{path} names other layers than it has maps for.", "Give a whole lens file.")
    prompts = found.get("n_prompts", 0)
    about = LensSummary(
        name=path.name,
        kind="jacobian",
        fingerprint=_words(found.get("fingerprint")),
        model=_words(found.get("model")),
        layers=tuple(matrices),
        hidden=hidden,
        prompts=max(_whole(prompts), 0),
    )
    return FittedLens(about, matrices)


def _check_archive(path: Path, size: int) -> None:
    """Raise LensError unless the file is an archive of plain parts: a packed one could be of any size."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    # zipfile says NotImplementedError of an archive of a kind that it cannot read.
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise LensError(f"{path} is not a file of torch.save.", "Give a lens file.") from None
    plain = all(part.compress_type == zipfile.ZIP_STORED for part in parts)
    if not plain or sum(part.file_size for part in parts) > size:
        raise LensError(f"{path} is packed, and is not opened.", "Write it again with torch.save.")


def _matrices(path: Path, given: dict[Any, Any], hidden: int, layers: int) -> dict[int, Tensor]:
    """The matrices by layer, float32, checked."""
    if not given:
        raise LensError(f"{path} is a lens of no layer.", "Give a whole lens file.")
    found: dict[int, Tensor] = {}
    for key, matrix in given.items():
        layer = _whole(key)
        if not 0 <= layer < layers - 1:
            raise LensError(
                f"{path} has a map for layer {_said(key)}.",
                f"A lens of this model has maps for layers 0 to {layers - 2}: what is read at the last is its own.",
            )
        if not isinstance(matrix, Tensor) or tuple(matrix.shape) != (hidden, hidden):
            shape = tuple(matrix.shape) if isinstance(matrix, Tensor) else type(matrix).__name__
            raise LensError(
                f"{path} has a map of shape {_said(shape)} for layer {layer}.",
                f"This model's residual stream has width {hidden}: give a lens of this model.",
            )
        if not matrix.is_floating_point() or matrix.layout is not torch.strided:
            raise LensError(f"{path} has a map of {matrix.dtype} for layer {layer}.", "Give a lens file.")
        found[layer] = matrix.detach().float().contiguous()
        if not bool(found[layer].isfinite().all()):
            raise LensError(f"{path} has NaN or infinity in its map for layer {layer}.", "Give a whole lens file.")
    return dict(sorted(found.items()))


def _read_ours(path: Path, hidden: int, layers: int) -> FittedLens:
    try:
        with path.open("rb") as file:
            told = metadata(file)
            if told.get("format") != _OURS:
                raise LensError(f"{path} is no lens.", "Give a file that `lens export` wrote, or a .pt.")
            file.seek(0)
            arrays = safetensors.torch.load(file.read())
        about = LensSummary.model_validate_json(told.get("text", ""))
    except (ValueError, json.JSONDecodeError, ValidationError, safetensors.SafetensorError):
        raise LensError(f"{path} is no lens.", "Give a file that `lens export` wrote, or a .pt.") from None
    if about.hidden != hidden:
        raise LensError(
            f"{path} is a lens for a residual stream of width {about.hidden}.",
            f"This model's has width {hidden}: give a lens of this model.",
        )
    given = {layer: arrays.get(f"J.{layer}") for layer in about.layers}
    matrices = _matrices(path, given, hidden, layers)
    offsets = {layer: arrays[f"b.{layer}"].float() for layer in matrices if f"b.{layer}" in arrays}
    if any(offset.shape != (hidden,) or not bool(offset.isfinite().all()) for offset in offsets.values()):
        raise LensError(f"{path} has offsets of another shape, or NaN in them.", "Give a whole lens file.")
    about = about.model_copy(
        update={"name": path.name, "key": "", "layers": tuple(matrices), "model": about.model[:_TEXT]}
    )
    return FittedLens(about, matrices, offsets)


def _whole(given: object) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) else -1


def _words(given: object) -> str:
    return given[:_TEXT] if isinstance(given, str) else ""


def _said(given: object) -> str:
    return repr(given)[:40]
