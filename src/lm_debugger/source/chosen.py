"""Reads what the user chose for loading (`LoadOptions`): the dtype and the device, checked against what is there."""

from dataclasses import dataclass
from typing import Any

import torch

from lm_debugger.errors import ModelLoadError
from lm_debugger.source.options import LoadOptions

_DTYPES = {
    "float32": torch.float32,
    "float": torch.float32,
    "fp32": torch.float32,
    "float16": torch.float16,
    "half": torch.float16,
    "fp16": torch.float16,
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float64": torch.float64,
    "double": torch.float64,
}


@dataclass(frozen=True)
class Chosen:
    """Options that were read and can be met here.

    Args:
        dtype: None for the checkpoint's own.
        device: None where a device map is given.
        device_map: as in transformers.
        remote: what loaders are told of code that comes with the model.
    """

    dtype: torch.dtype | None
    device: torch.device | None
    device_map: str | dict[str, Any] | None
    remote: dict[str, Any]

    @classmethod
    def of(cls, options: LoadOptions) -> "Chosen":
        """Raises ModelLoadError for a dtype or device that is not there, or both a device and a map."""
        if options.device is not None and options.device_map is not None:
            raise ModelLoadError("Both a device and a device map were given.", "Give one of them.")
        device = _device(options.device) if options.device_map is None else None
        remote = {"trust_remote_code": options.trust_remote_code}
        return cls(_dtype(options.dtype), device, options.device_map, remote)

    @property
    def on_cpu(self) -> bool:
        """Whether the whole model shall be on the CPU."""
        return self.device is not None and self.device.type == "cpu"


def _dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    if dtype is None or dtype == "auto":
        return None
    found = dtype if isinstance(dtype, torch.dtype) else _DTYPES.get(dtype.lower().removeprefix("torch."))
    if found is None or not found.is_floating_point:
        raise ModelLoadError(f"{dtype} is no dtype to load weights in.", "Use float32, bfloat16, float16 or auto.")
    return found


def _device(device: str | None) -> torch.device:
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ModelLoadError(f"{device!r} is no device.", "Use cpu, cuda, cuda:1 or mps.") from error
    if chosen.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count == 0:
            raise ModelLoadError(f"There is no {device} here: PyTorch sees no GPU.", "Use --device cpu.")
        if (chosen.index or 0) >= count:  # the index of plain `cuda` is None
            raise ModelLoadError(f"There is no {device} here: PyTorch sees {count} GPU(s).", "They count from cuda:0.")
    elif chosen.type == "mps" and not torch.backends.mps.is_available():
        raise ModelLoadError("There is no mps here.", "Use --device cpu.")
    elif chosen.type not in ("cpu", "cuda", "mps"):
        raise ModelLoadError(f"Models cannot be loaded on {device!r}.", "Use cpu, cuda, cuda:1 or mps.")
    return chosen
