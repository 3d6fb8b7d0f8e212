"""Real tokenizers and a real GGUF file, small and made on the spot."""

from pathlib import Path

import gguf
import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXT = ["The teacher works at the school, and the doctor at 12 hospitals.", "naïve café 🙂 你好 ünder"] * 5
CHAT = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
    "<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def byte_level(*, template: str | None = None) -> PreTrainedTokenizerFast:
    """As GPT-2's: bytes written as characters, no token before the text."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    raw.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>", chat_template=template)


def metaspace() -> PreTrainedTokenizerFast:
    """As Llama 2's: ▁ for a space, which the decoder drops at the start; bytes for the unknown; a first token."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "▁▁"]
    words = ["▁t", "▁th", "▁the", "▁d", "▁do", "e", "t", "h", "d", "o", "c", "r", "▁doc"]
    vocabulary = {piece: index for index, piece in enumerate(pieces + words)}
    merges = [("▁", "t"), ("▁t", "h"), ("▁th", "e"), ("▁", "d"), ("▁d", "o"), ("▁do", "c"), ("▁", "▁")]
    raw = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    raw.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    raw.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    raw.add_special_tokens([AddedToken(token, special=True) for token in ("<unk>", "<s>", "</s>")])
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def word_piece() -> PreTrainedTokenizerFast:
    """As BERT's: ## for what continues a word."""
    words = ["[UNK]", "a", "##a", "the", "doc", "##tor", "##s", ".", "x", "0"]
    raw = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]")


GGUF_TOKENIZERS = ("gpt2", "llama-bpe", "llama", "t5")


def gguf_file(path: Path, *, architecture: str = "llama", tokenizer: str = "gpt2", seed: int = 0) -> None:
    """A llama of two layers with random float32 weights and a tokenizer of 260 tokens and more (of GGUF_TOKENIZERS)."""
    hidden, width, layers, heads = 16, 32, 2, 2
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(layers)
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(width)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(hidden // heads)
    size = _add_tokenizer(writer, tokenizer)
    writer.add_vocab_size(size)
    random = np.random.default_rng(seed)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(f"{name}.weight", (random.standard_normal(shape) * 0.1).astype(np.float32))

    add("token_embd", size, hidden)
    add("output_norm", hidden)
    add("output", size, hidden)
    for layer in range(layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}", hidden, hidden)
        for name in ("attn_norm", "ffn_norm"):
            add(f"blk.{layer}.{name}", hidden)
        for name in ("ffn_gate", "ffn_up"):
            add(f"blk.{layer}.{name}", width, hidden)
        add(f"blk.{layer}.ffn_down", hidden, width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: gguf.GGUFWriter, kind: str) -> int:
    """Write a tokenizer's fields; returns the number of its tokens."""
    control, normal, unknown, byte = 3, 1, 2, 6
    if kind in ("gpt2", "llama-bpe"):
        tokens = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "he", "Ġa"]
        types = [control, control] + [normal] * (len(tokens) - 2)
        writer.add_tokenizer_model("gpt2")
        if kind == "llama-bpe":
            writer.add_tokenizer_pre("llama-bpe")
        writer.add_token_merges(["h e", "Ġ a"])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(1)
    else:
        pieces = ["▁", "▁a", "▁h", "he", "▁he", "h", "e", "a", "s", "t", "ha", "▁ha", "d", "o", "c", "do"]
        each = [f"<0x{number:02X}>" for number in range(256)]
        tokens = ["<unk>", "<s>", "</s>", *each, *pieces]
        types = [unknown, control, control, *[byte] * 256, *[normal] * len(pieces)]
        writer.add_tokenizer_model(kind)
        writer.add_token_scores([0.0] * 259 + [-float(place) for place in range(len(pieces))])
        writer.add_unk_token_id(0)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    return len(tokens)
