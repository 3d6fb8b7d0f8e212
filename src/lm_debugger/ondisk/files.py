"""The tensors in a folder's safetensors files, mapped into memory one at a time and never copied. Knows no model.

A mapped tensor takes memory only where it is looked at, and the system takes that back when it needs it. The mapping
ends with the last view of the tensor.
"""

import hashlib
import json
import mmap
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lm_debugger.errors import ModelLoadError

_WHOLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_SAMPLE = 1024  # bytes


class Entry(NamedTuple):
    """A tensor in a file.

    Args:
        file: the file's path.
        kind: the dtype as the file names it.
        shape: the tensor's shape.
        start, size: where its bytes are.
    """

    file: Path
    kind: str
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def dtype(self) -> torch.dtype | None:
        """The dtype, or None for one that holds no plain floating-point numbers."""
        return _DTYPES.get(self.kind)


class TensorFiles:
    """The safetensors files of a model's folder.

    Args:
        folder: the folder.
        name: what errors call it.

    Attributes:
        entries: all tensors by name.

    Raises:
        ModelLoadError: if files are missing, damaged or not complete.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self.entries: dict[str, Entry] = {}
        for file, names in self._listed(folder).items():
            held = _read_header(file, name)
            missing = sorted(names - held.keys())
            if missing:
                raise ModelLoadError(
                    f"The model {name} lacks {len(missing)} of its weights: {file.name} has no {missing[0]}.",
                    "Fetch or save the model again.",
                )
            self.entries.update(held)

    def _listed(self, folder: Path) -> dict[Path, set[str]]:
        """The files, with the tensors that each must hold according to the index."""
        if (folder / _WHOLE).is_file():  # transformers prefers it, too
            return {folder / _WHOLE: set()}
        try:
            weight_map: dict[str, str] = json.loads((folder / _INDEX).read_text())["weight_map"]
            files: dict[Path, set[str]] = {}
            for tensor, file in weight_map.items():
                files.setdefault(folder / file, set()).add(tensor)
        except FileNotFoundError as error:
            raise ModelLoadError(
                f"The folder {self._name} has no safetensors files ({_WHOLE} or {_INDEX}).",
                "Save the model with transformers' save_pretrained.",
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelLoadError(f"{_INDEX} in {self._name} cannot be read.", "Fetch the model again.") from error
        return files

    def tensor(self, name: str) -> Tensor:
        """A tensor as it is in the file. It must have a dtype."""
        entry = self.entries[name]
        dtype = entry.dtype
        assert dtype is not None
        if not entry.size:
            return torch.empty(entry.shape, dtype=dtype)
        start = entry.start % mmap.ALLOCATIONGRANULARITY
        with entry.file.open("rb") as file:
            # Copy on write: torch wants memory that can be written to, and nothing may reach the file.
            mapped = mmap.mmap(file.fileno(), start + entry.size, access=mmap.ACCESS_COPY, offset=entry.start - start)
        content = torch.frombuffer(mapped, dtype=torch.uint8, offset=start)
        if entry.start % dtype.itemsize:  # the format does not rule it out
            content = content.clone()
        return content.view(dtype).view(entry.shape)

    def fingerprint(self, config: object) -> str:
        """16 hexadecimal digits for the configuration, and the names, dtypes, shapes and samples of all tensors.

        Samples are three stretches of each tensor: a change that touches none of them is not seen. Reading all would
        take as long as a search. How the tensors are spread over files does not count. It never equals the fingerprint
        of a loaded model.
        """
        digest = hashlib.sha256(b"safetensors folder")
        digest.update(json.dumps(config, sort_keys=True, default=str).encode())
        for name, entry in sorted(self.entries.items()):
            digest.update(json.dumps([name, entry.kind, entry.shape]).encode())
            with entry.file.open("rb") as file:
                for start in (0, entry.size // 2, max(0, entry.size - _SAMPLE)):
                    file.seek(entry.start + start)
                    digest.update(file.read(min(_SAMPLE, entry.size - start)))
        return digest.hexdigest()[:16]


def _read_header(file: Path, name: str) -> dict[str, Entry]:
    """The tensors of a file: eight bytes with the length of a JSON header, the header, the contents."""
    try:
        with safe_open(file, framework="pt"):  # checks header, offsets and the file's length
            pass
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header: dict[str, Any] = json.loads(stream.read(length))
    except FileNotFoundError as error:
        raise ModelLoadError(f"The model {name} lacks its file {file.name}.", "Fetch the model again.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelLoadError(
            f"The model {name} has damaged weights: {file.name} ({error}).", "Fetch or save the model again."
        ) from error
    header.pop("__metadata__", None)
    entries = {}
    for tensor, told in header.items():
        start, end = told["data_offsets"]
        entries[tensor] = Entry(file, told["dtype"], tuple(told["shape"]), 8 + length + start, end - start)
    return entries
