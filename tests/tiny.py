"""Tiny models of many architectures under the debugger, with a tokenizer of one word a token. Nothing is downloaded."""

from functools import cache

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import lm_debugger
from lm_debugger.debugger.session import Debugger
from tests import zoo

# Architectures of the default run: every form of block, norm, feed-forward and read-out that transformers has.
COMMON = (
    "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neox", "gptj", "gpt_neo",
    "gpt_bigcode", "phi", "phi3", "opt", "bloom", "falcon", "mpt", "codegen", "starcoder2", "stablelm", "olmo", "olmo2",
    "granite", "cohere", "cohere2", "bert", "roberta", "bart", "xglm", "openai-gpt", "ctrl", "persimmon", "smollm3",
    "nanochat", "apertus", "mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "gpt_oss", "phimoe", "deepseek_v3",
    "granitemoe", "glm4_moe", "qwen3_next", "lfm2", "recurrent_gemma",
)  # fmt: skip


def tokenizer(size: int) -> PreTrainedTokenizerFast:
    """A tokenizer whose token i is the word `w<i>`; the first three are special."""
    words = {"<pad>": 0, "<s>": 1, "</s>": 2, **{f"w{i}": i for i in range(3, size)}}
    raw = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", bos_token="<s>", eos_token="</s>")


def debugger(model_type: str, seed: int = 0) -> Debugger:
    """A fresh tiny model under the debugger."""
    network = zoo.make(model_type, seed=seed)
    return lm_debugger.load(network, tokenizer(96))


@cache
def shared(model_type: str) -> Debugger:
    """A tiny model that tests may read but not change."""
    return debugger(model_type)


def prompt(length: int = 9, seed: int = 0) -> list[int]:
    """Token ids without special ones."""
    return [3 + (7 * seed + 11 * i * i + 5 * i) % 90 for i in range(length)]
