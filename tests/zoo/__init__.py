"""A tiny causal language model of every type transformers knows, with random weights; for tests.

Nothing is downloaded: a model comes from its config class alone. This package only makes models;
what they are tested for is not its concern.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

import torch
import transformers
from torch import nn
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
from transformers.pytorch_utils import Conv1D

from .shrink import shrink
from .special import CHANGES, DECODERS, UNAVAILABLE

__all__ = ["TYPES", "Unavailable", "make"]

TYPES: tuple[str, ...] = tuple(sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES))


class Unavailable(Exception):
    """This model type cannot be made or run here; the message says why, in one line."""


def make(model_type: str, *, seed: int = 0, **overrides: Any) -> PreTrainedModel:
    """A tiny model of this type, in float32 and eval mode; equal seeds give equal weights.

    ``overrides`` are config fields; for a field which is itself a config, give a mapping.
    """
    if model_type in UNAVAILABLE:
        raise Unavailable(UNAVAILABLE[model_type])
    try:
        config = _config(model_type, overrides)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # for what stays as the class initialises it
            model = _build(model_type, config)
    except Exception as error:
        raise Unavailable(_one_line(error)) from error
    _randomise(model, seed)
    _plain_generation(model)
    model.eval()
    return model


def _config(model_type: str, overrides: Mapping[str, Any]) -> PreTrainedConfig:
    changes = _merged(CHANGES.get(model_type, {}), overrides)
    if model_type in DECODERS:
        changes.setdefault("is_decoder", True)
    return shrink(CONFIG_MAPPING[model_type](), changes)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(old, value)
        else:
            merged[name] = value
    return merged


def _build(model_type: str, config: PreTrainedConfig) -> PreTrainedModel:
    name = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[model_type]
    model_class = getattr(transformers, name)
    # The decoder of a larger model has a configuration within the larger one's.
    for name, kind in config.sub_configs.items():
        if model_class.config_class is kind:
            config = getattr(config, name)
    config._attn_implementation = "eager"
    model: PreTrainedModel = model_class._from_config(config, dtype=torch.float32)
    return model


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def _plain_generation(model: PreTrainedModel) -> None:
    """Greedy generation of exactly as many tokens as asked for: no token ends or forces anything."""
    if not model.can_generate():
        return
    model.generation_config = GenerationConfig(
        pad_token_id=0,
        bos_token_id=1,
        cache_implementation=model.generation_config.cache_implementation,
    )


# Parameters with a meaning of their own (decays, time steps, attention sinks, gates): random
# values could make the forward explode, so they keep their initial value and get some noise.
_SPECIAL = re.compile(r"(^|[._])(A_log|D|dt_bias|dt_proj\.bias|time_\w+|decay\w*|sinks?|scalars?|\w*lambdas?)$")


@torch.no_grad()
def _randomise(model: PreTrainedModel, seed: int) -> None:
    """Give every trainable parameter values of a size at which nothing degenerates."""
    done: set[int] = set()
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) in done or not parameter.is_floating_point():
                continue  # shared with another module: stays tied
            done.add(id(parameter))
            path = f"{prefix}.{name}"
            # seeded by name: adding a module does not change the weights of the others
            generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(path.encode()))
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(_value(path, module, parameter, noise))


def _value(path: str, module: nn.Module, now: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    leaf = path.rsplit(".", 1)[-1]
    fan_in = now.shape[-1] if now.dim() else 1
    if _SPECIAL.search(path):
        return now + 0.1 * noise
    if isinstance(module, nn.Embedding):
        return noise
    if isinstance(module, Conv1D) and now.dim() == 2:
        fan_in = now.shape[0]  # this class stores its matrix transposed
    if leaf.endswith("bias") and not bool((now == 1).all()):
        return 0.1 * noise
    if bool((now != 0).all()) and bool((now == now.max()).all()):  # a scale, at whatever size the class starts it
        return now * (1 + 0.2 * noise)
    if now.dim() < 2:
        return (0.2 if "norm" in path.lower() else 0.1) * noise + (0 if bool((now == 0).all()) else now)
    if isinstance(module, nn.modules.conv._ConvNd):
        fan_in = now[0].numel()
    return noise / math.sqrt(fan_in)
