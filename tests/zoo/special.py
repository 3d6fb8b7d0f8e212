"""What the general rules get wrong: config changes of single model types; a table, no code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Types which are decoders only if their config says so.
DECODERS: frozenset[str] = frozenset(
    [
        "bert",
        "bert-generation",
        "big_bird",
        "camembert",
        "data2vec-text",
        "electra",
        "ernie",
        "megatron-bert",
        "rembert",
        "roberta",
        "roberta-prelayernorm",
        "roc_bert",
        "roformer",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    ]
)

_DRAFTER = "drafts for another model, and its forward takes that model's keys and values"

#: Types that no config makes run by itself, and why.
UNAVAILABLE: Mapping[str, str] = {"gemma4_assistant": _DRAFTER, "gemma4_unified_assistant": _DRAFTER}

_ROPE = {"rope_type": "default", "rope_theta": 10000.0}

# Its sliding layers have heads and ranks of their own.
_DOTS3 = {
    "swa_num_attention_heads": 4,
    "swa_num_key_value_heads": 4,
    "swa_q_lora_rank": 8,
    "swa_kv_lora_rank": 8,
    "swa_head_dim": 16,
    "swa_qk_nope_head_dim": 8,
    "swa_v_head_dim": 8,
}

_QWEN4 = {
    "indexer_n_heads": 4,
    "indexer_kv_heads": 1,
    "indexer_head_dim": 8,
    "indexer_budget": 8,
    "indexer_compress_ratio": 4,
    "ngram_vocab_size_base": 96,
    "hc_lowrank": 8,
    "ple_embed_dim": 32,
    "split_ngram_parts": 2,
    "make_ngram_vocab_size_divisible_by": 8,
}

#: Field values by model type; ``...`` leaves a field at its default.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "bamba": {"attn_layer_indices": [1]},
    "blt": {"encoder_hash_byte_group_vocab": 64, "num_hidden_layers": 6},  # its cache asks for a count
    "cohere_compass_text": {"rope_parameters": {"full_attention": _ROPE, "sliding_attention": _ROPE}},
    "dbrx": {"attn_config": {"rope_theta": 10000.0, "kv_n_heads": 2, "clip_qkv": 8.0}, "ffn_config": {"moe_top_k": 2}},
    "deepseek_v2": {"num_experts_per_tok": 2, "first_k_dense_replace": 1},
    "dory": {"n_input_layers": 1, "n_recurrent_layers": 2, "n_output_layers": 1},
    "dots1": {"n_shared_experts": 1, "n_routed_experts": 4, "num_experts_per_tok": 2, "first_k_dense_replace": 1},
    "dots3_note": {
        "text_config": _DOTS3,
        "vision_config": {"adapter_in_dim": 32, "adapter_out_dim": 32},
        "audio_config": {"adapter_input_size": 32, "adapter_out_dim": 32},
    },
    "dots3_note_text": _DOTS3,
    "falcon_h1": {"mamba_d_ssm": 64},
    "gemma3n_text": {"num_kv_shared_layers": 2},  # the last two layers read the keys and values of the first two
    "gpt_neo": {"attention_types": [[["global", "local"], 2]], "num_layers": 4},
    "granitemoehybrid": {"layer_types": ["linear_attention", "full_attention"] * 2, "num_hidden_layers": 4},
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8},
    "jamba": {"attn_layer_period": 4, "attn_layer_offset": 2},  # both mixers, both feed-forwards
    "laguna": {"layer_types": ["full_attention", "sliding_attention"] * 2, "num_hidden_layers": 4},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2, "num_hidden_layers": 4},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "llama4": {"text_config": {"interleave_moe_layer_step": 2}},  # dense and sparse layers
    "llama4_text": {"interleave_moe_layer_step": 2},
    "longcat_flash": {"qk_head_dim": 16},
    "mamba2": {"num_heads": 8, "head_dim": 8},
    "mellum": {"layer_types": ["full_attention", "sliding_attention"] * 2, "num_hidden_layers": 4},
    "minimax_m3_vl_text": {
        "layer_types": ["full_attention", "minimax_m3_sparse"] * 2,
        "num_hidden_layers": 4,
        "index_block_size": 4,
        "index_topk_blocks": 2,
    },
    "ministral": {"head_dim": 8},
    "musicgen": {"decoder": {"num_codebooks": 1}},  # else one text would need a row of tokens per codebook
    "musicgen_melody": {"decoder": {"num_codebooks": 1}},
    "nemotron": {"num_key_value_heads": 2},
    "qwen4_exp": {"text_config": _QWEN4},
    "qwen4_exp_text": _QWEN4,
    "reformer": {
        "is_decoder": True,
        "axial_pos_embds": False,
        "lsh_attn_chunk_length": 8,
        "local_attn_chunk_length": 8,
    },
    # bfloat16 inside would hide errors
    "xlstm": {"hidden_size": 128, "embedding_dim": 128, "chunk_size": ..., "autocast_kernel_dtype": "float32"},
    "xmod": {"default_language": "en_XX"},
    "zamba": {"attention_hidden_size": 64, "attention_head_dim": 16},  # its attention reads two streams side by side
    "zaya": {
        "num_experts_per_tok": 1,
        "layer_types": ["hybrid", "hybrid_sliding"] * 2,
        "num_hidden_layers": 4,
        "sliding_window": 8,
    },
}
