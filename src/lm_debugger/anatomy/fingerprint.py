"""The fingerprint of a model: the same for the same architecture and weights wherever they were loaded from.

Method. Each tensor is read as a sequence of 64-bit words. The words are laid out in rows of 1024 and added up,
modulo 2**64, along the rows and along the columns; all the sums are hashed with SHA-256. Whole numbers add up to
the same sum in any order, so the number of threads and the device do not matter. Changing one word changes its
row's sum; exchanging two different words changes the sums of two rows or of two columns. It runs at the speed of
memory and where the tensor is, so a model on a GPU is not copied. It guards against mistakes, not against somebody
who builds two models with one fingerprint.

What is not covered: the contents of weights on `meta` (offloaded to disk) count only by name, shape and dtype.
"""

import hashlib
import json
from collections.abc import Iterator

import torch
from torch import Tensor
from transformers import PreTrainedModel

_ROW = 1024
_WORD = 8  # bytes
_DIGITS = 16

# Where and how a model was loaded, not what it computes.
_VOLATILE = frozenset(
    {
        "_name_or_path",
        "_model_name_or_path",
        "name_or_path",
        "transformers_version",
        "dtype",
        "torch_dtype",
        "architectures",
        "auto_map",
        "_commit_hash",
        "_attn_implementation",
        "_attn_implementation_autoset",
        "_experts_implementation",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "use_cache",
    }
)


def fingerprint(model: PreTrainedModel) -> str:
    """16 hexadecimal digits that identify the model's class, configuration, and parameters and persistent buffers."""
    digest = hashlib.sha256(type(model).__name__.encode())
    digest.update(json.dumps(stable(model.config.to_dict()), sort_keys=True, default=str).encode())
    for name, tensor in sorted(_tensors(model).items()):
        digest.update(json.dumps([name, list(tensor.shape), str(tensor.dtype)]).encode())
        for part in _plain(tensor):
            digest.update(checksum(part))
    return digest.hexdigest()[:_DIGITS]


@torch.no_grad()
def checksum(tensor: Tensor) -> bytes:
    """A SHA-256 of the tensor's contents, made as the module describes. Empty for a tensor on `meta`."""
    if tensor.is_meta:
        return b""
    flat = tensor.detach().contiguous().reshape(-1)
    if flat.numel() * flat.element_size() % _WORD or flat.storage_offset() * flat.element_size() % _WORD:
        flat = flat.view(torch.uint8)
        flat = torch.cat([flat, flat.new_zeros(-flat.numel() % _WORD)])
    words = flat.view(torch.int64)
    whole = words.numel() // _ROW * _ROW
    rows, rest = words[:whole].view(-1, _ROW), words[whole:]
    sums = torch.cat([rows.sum(1), rows.sum(0), rest])
    return hashlib.sha256(sums.cpu().numpy().data).digest()


def _tensors(model: PreTrainedModel) -> dict[str, Tensor]:
    """Parameters and persistent buffers; of tied ones, the first name."""
    tensors: dict[str, Tensor] = {}
    seen = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor) and id(tensor) not in seen:
            seen.add(id(tensor))
            tensors[name] = tensor
    return tensors


def _plain(tensor: Tensor) -> Iterator[Tensor]:
    """The tensors that a wrapper (a quantised or distributed weight) is made of; a plain tensor itself."""
    flatten = getattr(tensor, "__tensor_flatten__", None)
    if flatten is None or type(tensor) is Tensor:
        yield tensor
        return
    for name in flatten()[0]:
        yield from _plain(getattr(tensor, name))


def stable(value: object) -> object:
    """A configuration (`to_dict`) without what is volatile."""
    if isinstance(value, dict):
        return {str(key): stable(part) for key, part in value.items() if key not in _VOLATILE}
    if isinstance(value, (list, tuple)):
        return [stable(part) for part in value]
    return value
