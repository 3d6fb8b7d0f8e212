"""The one call of transformers' `generate`: the model's own settings, but for how tokens are chosen."""

import copy
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from transformers import (
    GenerationMixin,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)

# Settings of sampling that a checkpoint may bring; the caller's choice replaces them all.
_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")


def generate(
    network: PreTrainedModel,
    ids: Tensor,
    *,
    steps: int,
    sample: bool = False,
    endless: bool = False,
    processors: Sequence[LogitsProcessor] = (),
    criteria: Sequence[StoppingCriteria] = (),
) -> Any:
    """Continue token ids (batch, positions) of equal length, with the model's cache.

    Args:
        steps: most tokens to generate.
        sample: draw from the plain distribution (temperature 1) instead of taking the largest score.
        endless: go on after an end-of-text token.
        processors: change the scores of each step.
        criteria: decide after each step whether to stop.

    Returns:
        transformers' output, with `sequences` and the raw `logits` of each step.
    """
    config = copy.deepcopy(network.generation_config)
    changes: dict[str, Any] = dict.fromkeys(_SAMPLING)
    changes |= {"do_sample": sample, "num_beams": 1, "max_new_tokens": steps, "max_length": None}
    changes |= {"output_logits": True, "return_dict_in_generate": True}
    if sample:
        changes["temperature"] = 1.0
    if endless:
        changes["eos_token_id"] = None
    if config.pad_token_id is None:
        changes["pad_token_id"] = 0  # rows of equal length are never padded, but transformers asks
    config.update(**changes)
    with torch.no_grad():
        return cast(GenerationMixin, network).generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=config,
            logits_processor=LogitsProcessorList(processors),
            stopping_criteria=StoppingCriteriaList(criteria),
        )
