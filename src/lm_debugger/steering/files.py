"""Vectors of a direction from a file: `.safetensors`, `.npy`, `.pt` or `.json`. No code of a file is run."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from lm_debugger.errors import DirectionError

SUFFIXES = (".safetensors", ".npy", ".pt", ".json")
MOST = 1 << 30  # bytes
_NUMBER = re.compile(r"\d{1,9}")


def read(path: Path, hidden: int, layers: int, layer: int | None) -> dict[int, Tensor]:
    """The vectors in a file, by layer.

    One vector (hidden,) is that of every layer, or of `layer`; several (layers, hidden) are one a layer; tensors with
    names are those of the layers whose numbers end their names.

    Raises:
        DirectionError: if the file cannot be read, or holds no vectors of this model's width.
    """
    if path.suffix not in SUFFIXES:
        raise DirectionError(f"{path} has no known suffix.", f"Give a file with {', '.join(SUFFIXES)}.")
    try:
        if path.stat().st_size > MOST:
            raise DirectionError(f"{path} is larger than {MOST >> 30} GiB.", "Give a file with vectors alone.")
        found = _content(path)
    except FileNotFoundError:
        raise DirectionError(f"There is no file {path}.", "Give the path of a file with vectors.") from None
    except DirectionError:
        raise
    except Exception as failure:  # noqa: BLE001  # whatever a file from anybody makes its reader raise
        raise DirectionError(
            f"{path} cannot be read ({type(failure).__name__}).", "Give a file with plain numbers."
        ) from None
    vectors = _by_layer(path, found, hidden, layers, layer)
    for at, vector in vectors.items():
        if tuple(vector.shape) != (hidden,):
            raise DirectionError(
                f"{path} has a vector of shape {tuple(vector.shape)}.", f"This model's have shape ({hidden},)."
            )
        if not bool(vector.isfinite().all()) or not float(vector.norm()):
            raise DirectionError(
                f"The vector of layer {at} in {path} is no direction.", "It must be finite, and not 0."
            )
    return vectors


def _content(path: Path) -> Any:
    match path.suffix:
        case ".safetensors":
            return safetensors.torch.load(path.read_bytes())
        case ".npy":
            return torch.from_numpy(np.load(path, allow_pickle=False))
        case ".pt":
            return torch.load(path, map_location="cpu", weights_only=True)
        case _:
            return torch.tensor(json.loads(path.read_text(encoding="utf-8")), dtype=torch.float32)


def _by_layer(path: Path, found: Any, hidden: int, layers: int, layer: int | None) -> dict[int, Tensor]:
    if isinstance(found, Mapping) and found and all(isinstance(each, Tensor) for each in found.values()):
        if len(found) > 1:
            numbered = {int(n[-1]): each for name, each in found.items() if (n := _NUMBER.findall(str(name)))}
            if len(numbered) < len(found):
                raise DirectionError(
                    f"The tensors in {path} do not say their layers.", "Let each name end with its layer's number."
                )
            return {at: each.float() for at, each in sorted(numbered.items()) if at < layers}
        found = next(iter(found.values()))
    if not isinstance(found, Tensor) or not (found.is_floating_point() or found.dtype == torch.int64):
        raise DirectionError(f"{path} holds no vectors.", "Give a tensor, or tensors by name.")
    found = found.float().squeeze()
    if found.dim() == 1:
        return dict.fromkeys(range(layers) if layer is None else (layer,), found)
    if tuple(found.shape) == (layers, hidden):
        return {at: found[at] for at in (range(layers) if layer is None else (layer,))}
    raise DirectionError(
        f"{path} has numbers of shape {tuple(found.shape)}.", f"Give ({hidden},), or ({layers}, {hidden}): one a layer."
    )
