"""Making any transformers config tiny, by the names of its fields; knows rules, never a model type."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from transformers import PreTrainedConfig

VOCAB = 96
#: Layers of a model whose layers are all alike, and of one which mixes kinds of layers.
LAYERS, MIXED_LAYERS = 3, 4

# The first pattern which matches the whole field name gives the size. Hidden, intermediate and
# expert sizes differ from one another on purpose: mixing two of them up must not go unnoticed.
_SIZES: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), size)
    for pattern, size in (
        # embeddings
        (r"(task_)?type_vocab_size", 2),
        (r"(.+_)?vocab_size(_.+)?", VOCAB),
        (r"n_positions|n_ctx|context_length|max_seq_len|.*max_.*position.*|model_max_length", 128),
        (r"max_(source|target)_positions", 64),
        # what is switched or counted, not sized
        (r"(n|num|topk)_(expert_)?groups?|n_groups|mamba_n(_)?groups|topk_group", 2),
        (r"(moe_)?(n|num)_shared_experts|moe_num_shared_experts|n_shared_experts", 1),
        (r"first_k_dense_replace|num_dense_layers|num_nextn_predict_layers", 1),
        # experts
        (r"(moe_)?((num|n)_)?(local|routed)?_?(num_)?experts|zero_expert_num", 4),
        (r"num_experts_per_tok(en)?|moe_top_?k|moe_k", 2),
        (r"(moe|expert|shared_experts?|moe_shared_expert)_(ffn_hidden|intermediate)_size", 24),
        # heads
        (r".*key_value_heads|(num_)?kv_(n_)?heads|num_query_groups", 2),
        (r"(.+_)?(attention_heads|n_heads|num_heads|n_head|mamba_heads)|mamba_n_heads", 4),
        (r"linear_num_(key|value)_heads", 4),
        (r"(.+_)?head_dim|d_kv|dim_head|attention_head_(size|dim)|kv_channels", 8),
        (r"rotary_dim", 4),
        # low ranks of latent attention
        (r".*lora_rank|.*_rank", 8),
        (r"qk_(nope|rope)_head_dim|qk_head_dim", 8),
        # recurrences and short convolutions
        (r"(.*_)?d_state|(ssm_)?state_size", 8),
        (r"mamba_d_head|mamba_headdim", 16),
        (r"mamba_dt_rank|time_step_rank", 8),
        (r"(mamba_|index_|audio_)?chunk_size", 8),
        # feed-forward
        (r"(.*_)?(intermediate_size|ffn_dim|feed_forward_size|ffn_hidden_size|d_ff)", 48),
        (r"dff|dim_ff|d_inner|mlp_dim|intermediate_size_mlp", 48),
        # widths
        (r"(.+_)?hidden_size(_.+)?|d_model|n_embd|emb_dim|(.*_)?embedding_(dim|size)", 32),
        (r"lru_width|word_embed_proj_dim", 32),
        # windows, short enough for a dozen tokens to leave them
        (r"sliding_window(_size)?|window_size|attention_chunk_size|attention_window_size", 8),
        (r"local_attention", 8),
    )
)
_LAYER_COUNT = re.compile(r"(num_|n_|encoder_|decoder_)?(hidden_|encoder_|decoder_)?layers?|num_blocks|depth")
# Fields which only mixed stacks have; their presence asks for the larger number of layers.
_MIXED = re.compile(r"first_k_dense_replace|(.*_)?layer_(period|offset)|.*_layers|layers_block_type")
_SPECIAL_TOKEN = re.compile(r".*(token_id|token_index|mask_index|unk_index)")
_TOKENS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


def shrink(config: PreTrainedConfig, changes: Mapping[str, Any]) -> PreTrainedConfig:
    """A tiny config of the class of ``config``, which holds that class's defaults.

    ``changes`` are field values which win over the rules; for a field which is itself a config,
    the value is such a mapping again.
    """
    kind = type(config)
    wanted = {kind.attribute_map.get(name, name): value for name, value in changes.items()}
    names = [field.name for field in dataclasses.fields(kind) if field.name not in _BASE_FIELDS]
    # Of what may differ from layer to layer, the value that holds for most is made small.
    config.allow_global_per_layer_attribute_access = True
    old = {name: getattr(config, name, None) for name in names}

    values: dict[str, Any] = {}
    old_layers, layers = _layer_counts(old, wanted)
    specials = iter(range(VOCAB - 1, 0, -1))
    for name, value in old.items():
        if isinstance(value, PreTrainedConfig):
            values[name] = shrink(value, wanted.pop(name, None) or {})
        elif name in _TOKENS:
            values[name] = _TOKENS[name]
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, int):
            if (number := _number(name, value, layers, specials)) is not None:
                values[name] = number
        elif isinstance(value, list | tuple) and len(value) == old_layers:
            values[name] = _fewer(name, list(value), layers)
    if "kv_lora_rank" in old and "num_key_value_heads" in values:
        values["num_key_value_heads"] = _size("num_attention_heads")  # latent attention has as many
    for name, value in wanted.items():
        if value is ...:  # "leave this one alone"
            values.pop(name, None)
        else:
            values[name] = value
    return kind(**values)


def _number(name: str, value: int, layers: int, specials: Iterator[int]) -> int | None:
    """The tiny value of a whole number, or None to leave it."""
    if _LAYER_COUNT.fullmatch(name):
        return layers
    if _SPECIAL_TOKEN.fullmatch(name):
        return next(specials)
    return _size(name) if value > 0 else None


_BASE_FIELDS = {field.name for field in dataclasses.fields(PreTrainedConfig)}


def _size(name: str) -> int | None:
    return next((size for pattern, size in _SIZES if pattern.fullmatch(name)), None)


def _layer_counts(old: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[int, int]:
    """How many layers the defaults have, and how many the tiny config shall have."""
    counts = [name for name in old if _LAYER_COUNT.fullmatch(name) and isinstance(old[name], int)]
    if not counts:
        return 0, LAYERS
    before = max(old[name] for name in counts)
    for name in counts:
        if isinstance(wanted.get(name), int):
            return before, wanted[name]
    mixed = any(
        len(set(value)) > 1
        for value in old.values()
        if isinstance(value, list | tuple) and len(value) == before and _hashable(value)
    ) or any(isinstance(old[name], int) and _MIXED.fullmatch(name) and name not in counts for name in old)
    return before, MIXED_LAYERS if mixed else LAYERS


def _hashable(value: list[Any] | tuple[Any, ...]) -> bool:
    return all(isinstance(item, str | int | float) for item in value)


def _fewer(name: str, items: list[Any], layers: int) -> list[Any]:
    """A per-layer list for fewer layers, in which every different item still occurs.

    Feed-forward kinds keep their usual form, the first kind once and then the others (a dense
    layer before the sparse ones); everything else alternates.
    """
    if not _hashable(items):
        return items[:layers]
    if items == list(range(len(items))):  # indices of layers, not one item per layer
        return items[:layers]
    if all(isinstance(item, int) for item in items) and (size := _size(name)) is not None:
        return [size] * layers
    kinds = list(dict.fromkeys(items))
    if "mlp" in name:
        return (kinds + [kinds[-1]] * layers)[:layers]
    return [kinds[i % len(kinds)] for i in range(layers)]
