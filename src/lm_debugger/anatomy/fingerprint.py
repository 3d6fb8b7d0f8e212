"""The fingerprint of a model: the same for the same architecture and weights wherever they were loaded from.

Each tensor counts by its checksum (`store.checksum`), which is made where the tensor is: a model on a GPU is not
copied. It guards against mistakes, not against somebody who builds two models with one fingerprint.

What is not covered: the contents of weights on `meta` (offloaded to disk) count only by name, shape and dtype.
"""

import hashlib
import json
from collections.abc import Iterator

from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.store.checksum import checksum

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
