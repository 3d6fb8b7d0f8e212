"""Writes the model in a GGUF file as an ordinary float32 folder: configuration, weights, tokenizer.

transformers parses a GGUF file's header three times, each time number by number (25 s for 262,144 tokens). Here it is
parsed once, array by array: `GGUFReader` is exchanged for one that remembers while a model is read.
"""

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers import modeling_gguf_pytorch_utils as _reader  # for `bars`

from lm_debugger.source import bars
from lm_debugger.work import Work

_NATIVE = "I"
_LENGTH = struct.Struct("=Q")  # of a string, in the file's byte order; others take the slow way
_one_at_a_time = threading.RLock()


def convert(path: Path, target: Path, work: Work, *, context: int | None = None) -> None:
    """Write the GGUF file's model into a folder. `target` must exist.

    Args:
        path: the GGUF file.
        target: the folder.
        work: told of the steps.
        context: most tokens that the tokenizer shall accept; None leaves it as it is.
    """
    assert _reader.__name__ == bars.GGUF_READER
    with parsed_once():
        work("Loading the tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        work("Unpacking the GGUF file")
        with bars.forwarded(work):
            model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    work("Writing the model")
    config = model.config
    for mark in ("quantization_config", "_model_name_or_path"):  # of the GGUF file; the weights are plain now
        if hasattr(config, mark):
            delattr(config, mark)
    config.architectures = [type(model).__name__]
    config.save_pretrained(target)
    model.generation_config.save_pretrained(target)
    if context is not None:
        tokenizer.model_max_length = context
    tokenizer.save_pretrained(target)
    tied = set(model.all_tied_weights_keys)  # restored from the weight they share when the folder is loaded
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name not in tied}
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


def plain_bytes(path: Path) -> int:
    """Bytes that the file's tensors take as float32."""
    with parsed_once():
        return sum(4 * int(tensor.n_elements) for tensor in gguf.GGUFReader(path).tensors)


@contextmanager
def parsed_once() -> Iterator[None]:
    """While inside, whoever reads a GGUF file gets the same reader for the same file; nested uses share it."""
    with _one_at_a_time:
        names = vars(gguf)
        true = names["GGUFReader"]
        if isinstance(true, _Remembering):
            yield
            return
        names["GGUFReader"] = _Remembering()
        try:
            yield
        finally:
            names["GGUFReader"] = true


class _Remembering:
    """Takes the place of the class `GGUFReader`."""

    def __init__(self) -> None:
        self._known: dict[str, gguf.GGUFReader] = {}

    def __call__(self, path: Any, mode: Literal["r", "r+", "c"] = "r") -> Any:
        key = str(path)
        if mode != "r":
            return _Reader(path, mode)
        if key not in self._known:
            self._known[key] = _Reader(path)
        return self._known[key]


class _Reader(gguf.GGUFReader):
    """Reads arrays as a whole, with the same result as element by element."""

    def _get_field_parts(self, orig_offs: int, raw_type: int) -> tuple[int, list[Any], list[int], list[Any]]:
        array = gguf.GGUFValueType.ARRAY
        if raw_type == array and self.byte_order == _NATIVE:
            kind, count = self._get(orig_offs, np.uint32), self._get(orig_offs + 4, np.uint64)
            first = orig_offs + 12
            item = gguf.GGUFValueType(int(kind[0]))
            plain = self.gguf_scalar_to_np.get(item)
            if count[0] and (plain is not None or item == gguf.GGUFValueType.STRING):
                number = int(count[0])
                if plain is not None:
                    values = np.asarray(self._get(first, plain, number))
                    if len(values) != number:
                        raise ValueError("The file ends within its header.")
                    parts, size = list(values.reshape(-1, 1)), values.nbytes
                    indices = list(range(2, 2 + number))
                else:
                    parts, size = self._strings(first, number)
                    indices = list(range(3, 3 + 2 * number, 2))  # between them the lengths
                return 12 + size, [kind, count, *parts], indices, [array, item]
        found: tuple[int, list[Any], list[int], list[Any]] = super()._get_field_parts(orig_offs, raw_type)
        return found

    def _strings(self, first: int, count: int) -> tuple[list[Any], int]:
        """Lengths and contents of strings, one after the other, and the bytes that they take."""
        data = memoryview(np.asarray(self.data))  # type: ignore[arg-type]  # numpy's types lack it
        parts: list[Any] = []
        at = first
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(data, at)
            end = at + 8 + length
            parts.append((length,))
            parts.append(data[at + 8 : end].tobytes())
            at = end
        return parts, at - first
