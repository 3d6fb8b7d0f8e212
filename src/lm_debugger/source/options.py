"""How a model is to be loaded: what the user may choose, as one value. Imports nothing heavy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LoadOptions:
    """What may be chosen when a model is loaded.

    Args:
        device: `cpu`, `cuda`, `cuda:1`, `mps`; by default the best there is.
        dtype: such as `bfloat16`; by default the checkpoint's own.
        device_map: spreads the model over devices, as in transformers; excludes `device`.
        trust_remote_code: whether Python code that comes with the model may run.
        revision: branch, tag or commit on the hub.
    """

    device: str | None = None
    dtype: "str | torch.dtype | None" = None
    device_map: str | dict[str, Any] | None = None
    trust_remote_code: bool = False
    revision: str | None = None
