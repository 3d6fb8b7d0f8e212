"""Loads a network and its tokenizer from wherever the user has them. Knows nothing of the model's anatomy.

The weights are the checkpoint's, in its own dtype. One exception: a float16 checkpoint on a CPU is loaded as
float32, which holds every float16 exactly; CPUs compute float16 slowly and some operations not at all. bfloat16
stays as it is, there too: the CPU knows it, and it takes half the memory. A GGUF file has no dtype of its own to
compute in: it is dequantised to float32 on a CPU and to bfloat16 elsewhere.

An adapter (LoRA and others of PEFT) is merged into its base model's weights, so that each value vector is the one
the adapted model uses.
"""

import copy
import os
from collections.abc import Callable
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from lm_debugger.errors import LMDebuggerError, ModelLoadError, NumericalError
from lm_debugger.progress import Progress, silent
from lm_debugger.source import bars
from lm_debugger.source import explain as failures
from lm_debugger.source import references as sources

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

# From the configuration to the class that is loaded.
Part = Callable[[PreTrainedConfig], type[PreTrainedModel]]


def load_network(
    reference: str | os.PathLike[str],
    *,
    device: str | None = None,
    dtype: str | torch.dtype | None = None,
    device_map: str | dict[str, Any] | None = None,
    trust_remote_code: bool = False,
    revision: str | None = None,
    part: Part | None = None,
    progress: Progress = silent,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model for inspection: in eval mode, without gradients.

    Args:
        reference: `demo`, a folder (of a model or of a PEFT adapter), a GGUF file, or a hub id.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; by default the best there is.
        dtype: such as `bfloat16`; by default the checkpoint's own (see the module's text).
        device_map: spreads the model over devices, as in transformers; excludes `device`.
        trust_remote_code: whether Python code that comes with the model may run.
        revision: branch, tag or commit on the hub.
        part: chooses the class to load, such as one that is only a part of the model; no adapter, no GGUF file then.
        progress: told of downloads and of loading.

    Raises:
        ModelNotFoundError: if the reference names nothing that can be read.
        ModelLoadError: if the model cannot be loaded, or not as asked.
        DownloadError: if the demo model cannot be fetched.
        NumericalError: if a weight is NaN or infinite.
    """
    wanted = _dtype(dtype)
    place = _device(device) if device_map is None else None
    if device is not None and device_map is not None:
        raise ModelLoadError("Both a device and a device map were given.", "Give one of them.")
    source = sources.find(reference, revision=revision, progress=progress)
    options = {"trust_remote_code": trust_remote_code}
    try:
        with bars.forwarded(progress):
            if source.adapter:
                network, tokenizer = _load_adapter(source, wanted, place, device_map, options, progress)
            else:
                progress("Loading the tokenizer", 0, 0)
                tokenizer = _tokenizer(source, options)
                progress("Loading the model", 0, 0)
                network = _load_plain(source, wanted, place, device_map, options, part)
    except LMDebuggerError:
        raise
    except Exception as error:  # a loader runs code of many packages, and remote code: anything may come
        raise failures.explain(source.reference, error) from error
    network.eval().requires_grad_(False)
    check_finite(network)
    return network, tokenizer


def check_network(model: object) -> PreTrainedModel:
    """Accept a model that the user has in memory. It is put in eval mode.

    Of a PEFT model a copy is made with the adapter merged into the weights; the user's own stays as it is.

    Raises:
        ModelLoadError: if it is not of transformers.
        NumericalError: if a weight is NaN or infinite.
    """
    network = model
    if _is_peft(model):
        try:
            network = _merged(copy.deepcopy(model))
        except LMDebuggerError:
            raise
        except Exception as error:
            raise failures.explain("in memory", error) from error
    if not isinstance(network, PreTrainedModel):
        raise ModelLoadError(
            f"The model is a {type(model).__name__}, not a PreTrainedModel of transformers.",
            "Give the one that AutoModelForCausalLM.from_pretrained loads.",
        )
    network.eval()
    check_finite(network)
    return network


def check_tokenizer(tokenizer: object) -> PreTrainedTokenizerBase:
    """Accept a tokenizer that the user has in memory.

    Raises:
        ModelLoadError: if it is not of transformers.
    """
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise ModelLoadError(
            f"The tokenizer is a {type(tokenizer).__name__}, not one of transformers.",
            "Give the one that AutoTokenizer.from_pretrained loads for the model: load(model, tokenizer).",
        )
    return tokenizer


@torch.no_grad()
def check_finite(network: torch.nn.Module) -> None:
    """Raise NumericalError if a parameter holds NaN or infinity, naming the first (weights on `meta` are skipped)."""
    for name, parameter in network.named_parameters():
        if parameter.is_meta or not parameter.is_floating_point() or parameter.numel() == 0:
            continue
        values = parameter if parameter.element_size() > 1 else parameter.float()  # float8 can only be converted
        # NaN and infinity always reach a sum. A sum may also overflow, so it only clears, it does not convict.
        if not torch.isfinite(values.sum()) and not torch.isfinite(values).all():
            raise NumericalError(f"The weight {name} holds NaN or infinity.", "Fetch or train the model again.")


def _load_plain(
    source: sources.Source,
    dtype: torch.dtype | None,
    device: torch.device | None,
    device_map: str | dict[str, Any] | None,
    options: dict[str, Any],
    part: Part | None = None,
) -> PreTrainedModel:
    where = options | {"local_files_only": source.local_only, "revision": source.revision or "main"}
    on_cpu = device is not None and device.type == "cpu"
    loader: Any = AutoModelForCausalLM
    if source.gguf:
        where["gguf_file"] = source.gguf
        chosen: torch.dtype | str = dtype or (torch.float32 if on_cpu else torch.bfloat16)
    else:
        config = AutoConfig.from_pretrained(source.location, **where)
        where["config"] = config
        if part is not None:
            loader = part(config)
        half = on_cpu and getattr(config.get_text_config(), "dtype", None) == torch.float16
        chosen = dtype or (torch.float32 if half and not hasattr(config, "quantization_config") else "auto")
    spread = device_map if device is None else None if on_cpu else {"": str(device)}
    loaded: Any = loader.from_pretrained(
        source.location, dtype=chosen, device_map=spread, output_loading_info=True, **where
    )
    network: PreTrainedModel
    network, found = loaded
    missing = sorted(found["missing_keys"])
    if missing:  # transformers fills them with random numbers
        raise ModelLoadError(
            f"The model {source.reference} lacks {len(missing)} of its weights, such as {missing[0]}.",
            "Give a complete checkpoint of a causal language model.",
        )
    if dtype is None and on_cpu and network.dtype == torch.float16 and not getattr(network, "is_quantized", False):
        network = network.float()  # a checkpoint whose configuration does not state its dtype
    quantizer = getattr(network, "hf_quantizer", None)
    if source.gguf and quantizer is not None:
        quantizer.remove_quantization_config(network)  # the weights are plain now, and can be saved
    return network


def _load_adapter(
    source: sources.Source,
    dtype: torch.dtype | None,
    device: torch.device | None,
    device_map: str | dict[str, Any] | None,
    options: dict[str, Any],
    progress: Progress,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        from peft import PeftConfig, PeftModel
    except ImportError as error:
        raise ModelLoadError(f"{source.reference} is an adapter.", "To load it: pip install peft") from error
    hub: dict[str, Any] = {"revision": source.revision} if source.on_hub else {}
    base_name = PeftConfig.from_pretrained(source.location, **hub).base_model_name_or_path
    if not base_name:
        raise ModelLoadError(f"The adapter {source.reference} does not name its base model.")
    progress("Loading the adapter's base model", 0, 0)
    base = sources.find(base_name, revision=None, progress=progress)
    if base.adapter:
        raise ModelLoadError(f"The adapter {source.reference} names another adapter, {base_name}, as its base model.")
    network = _load_plain(base, dtype, device, device_map, options)
    tokenizer = _tokenizer(source if source.has_tokenizer else base, options)
    progress("Loading the adapter", 0, 0)
    return _merged(PeftModel.from_pretrained(network, source.location, **hub)), tokenizer


def _merged(model: Any) -> PreTrainedModel:
    """A PEFT model as the plain model that computes the same. The model given is used up."""
    if not hasattr(model.base_model, "merge_and_unload"):
        kind = model.active_peft_config.peft_type
        raise ModelLoadError(
            f"The adapter is of the kind {kind}, which cannot be merged into the weights.",
            "LoRA and its relatives can.",
        )
    merged: PreTrainedModel = model.merge_and_unload(safe_merge=True)
    return merged


def _is_peft(model: object) -> bool:
    """Whether the model is PEFT's, without importing PEFT for those who do not use it."""
    return any(kind.__module__.startswith("peft.") and kind.__name__ == "PeftModel" for kind in type(model).__mro__)


def _tokenizer(source: sources.Source, options: dict[str, Any]) -> PreTrainedTokenizerBase:
    where = options | {"local_files_only": source.local_only, "revision": source.revision or "main"}
    if source.gguf:
        where["gguf_file"] = source.gguf
    elif not source.has_tokenizer:
        raise ModelLoadError(
            f"The model {source.reference} has no tokenizer.",
            "Copy tokenizer.json and tokenizer_config.json of the model it was made from into it.",
        )
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source.location, **where)
    return tokenizer


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
