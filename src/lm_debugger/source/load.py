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
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
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

from lm_debugger.errors import LMDebuggerError, ModelLoadError
from lm_debugger.source import bars
from lm_debugger.source import explain as failures
from lm_debugger.source import references as sources
from lm_debugger.source.chosen import Chosen
from lm_debugger.source.options import LoadOptions
from lm_debugger.work import UNWATCHED, Work

# From the configuration to the class that is loaded.
Part = Callable[[PreTrainedConfig], type[PreTrainedModel]]


def load_network(
    reference: str | os.PathLike[str],
    options: LoadOptions = LoadOptions(),  # noqa: B008 (frozen)
    *,
    part: Part | None = None,
    work: Work = UNWATCHED,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model for inspection: in eval mode, without gradients.

    Args:
        reference: `demo`, a folder (of a model or of a PEFT adapter), a GGUF file, or a hub id.
        options: device, dtype and the like (for the default dtype see the module's text).
        part: chooses the class to load, such as one that is only a part of the model; no adapter, no GGUF file then.
        work: told of downloads and of loading.

    Raises:
        ModelNotFoundError: if the reference names nothing that can be read.
        ModelLoadError: if the model cannot be loaded, or not as asked.
        DownloadError: if the demo model cannot be fetched.
    """
    chosen = Chosen.of(options)
    source = sources.find(reference, revision=options.revision, work=work)
    try:
        source = _plain(source, work)
        with bars.forwarded(work), _parsed_once(source):
            if source.adapter:
                network, tokenizer = _load_adapter(source, chosen, work)
            else:
                work("Loading the tokenizer")
                tokenizer = _tokenizer(source, chosen)
                work("Loading the model")
                network = _load_plain(source, chosen, part)
    except LMDebuggerError:
        raise
    except Exception as error:  # a loader runs code of many packages, and remote code: anything may come
        raise failures.explain(source.reference, error) from error
    network.eval().requires_grad_(False)
    return network, tokenizer


def check_network(model: object) -> PreTrainedModel:
    """Accept a model that the user has in memory. It stays in the mode that it is in.

    Of a PEFT model a copy is made with the adapter merged into the weights; the user's own stays as it is.

    Raises:
        ModelLoadError: if it is not of transformers, or nothing of it can be differentiated.
    """
    network = model = getattr(model, "_orig_mod", model)  # what torch.compile(model) wraps
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
    if any(parameter.is_inference() for parameter in network.parameters()):
        raise ModelLoadError(
            "The model was made under torch.inference_mode, and PyTorch differentiates no such weights.",
            "Load it outside of that block, or under torch.no_grad.",
        )
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


def _plain(source: sources.Source, work: Work) -> sources.Source:
    """The folder that a GGUF file is converted to, if it can be kept; any other source as it is."""
    if source.gguf is None:
        return source
    from lm_debugger.source import converted  # it and its libraries take time that others need not spend

    folder = converted.find(Path(source.location) / source.gguf, work)
    return source if folder is None else replace(source, location=str(folder), gguf=None, dequantised=True)


def _parsed_once(source: sources.Source) -> AbstractContextManager[None]:
    """While a GGUF file is read as it is."""
    if source.gguf is None:
        return nullcontext()
    from lm_debugger.source.convert import parsed_once

    return parsed_once()


def _where(source: sources.Source, chosen: Chosen) -> dict[str, Any]:
    """What every loader is told of the place."""
    return chosen.remote | {"local_files_only": source.local_only, "revision": source.revision or "main"}


def _load_plain(source: sources.Source, wanted: Chosen, part: Part | None = None) -> PreTrainedModel:
    where = _where(source, wanted)
    dtype, on_cpu = wanted.dtype, wanted.on_cpu
    loader: Any = AutoModelForCausalLM
    if source.gguf:
        where["gguf_file"] = source.gguf
    if source.gguf or source.dequantised:
        chosen: torch.dtype | str = dtype or (torch.float32 if on_cpu else torch.bfloat16)
    else:
        config = AutoConfig.from_pretrained(source.location, **where)
        where["config"] = config
        if part is not None:
            loader = part(config)
        half = on_cpu and getattr(config.get_text_config(), "dtype", None) == torch.float16
        chosen = dtype or (torch.float32 if half and not hasattr(config, "quantization_config") else "auto")
    spread = wanted.device_map if wanted.device is None else None if on_cpu else {"": str(wanted.device)}
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
    source: sources.Source, chosen: Chosen, work: Work
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        from peft import PeftConfig, PeftModel
    except ImportError as error:
        raise ModelLoadError(f"{source.reference} is an adapter.", "To load it: pip install peft") from error
    hub: dict[str, Any] = {"revision": source.revision} if source.on_hub else {}
    base_name = PeftConfig.from_pretrained(source.location, **hub).base_model_name_or_path
    if not base_name:
        raise ModelLoadError(f"The adapter {source.reference} does not name its base model.")
    work("Loading the adapter's base model")
    base = _plain(sources.find(base_name, revision=None, work=work), work)
    if base.adapter:
        raise ModelLoadError(f"The adapter {source.reference} names another adapter, {base_name}, as its base model.")
    network = _load_plain(base, chosen)
    tokenizer = _tokenizer(source if source.has_tokenizer else base, chosen)
    work("Loading the adapter")
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


def _tokenizer(source: sources.Source, chosen: Chosen) -> PreTrainedTokenizerBase:
    where = _where(source, chosen)
    if source.gguf:
        where["gguf_file"] = source.gguf
    elif not source.has_tokenizer:
        raise ModelLoadError(
            f"The model {source.reference} has no tokenizer.",
            "Copy tokenizer.json and tokenizer_config.json of the model it was made from into it.",
        )
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source.location, **where)
    return tokenizer
