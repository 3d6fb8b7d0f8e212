"""A llama folder of any size whose files take little more room than the value vectors: zeros are holes in the files.

The first two layers are whole, because a model is examined by running them. Of the others only the down projections
and the norms are there.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import LlamaConfig

from tests.tiny import tokenizer

WHOLE_LAYERS = 2


def make(folder: Path, *, layers: int, width: int, hidden: int, vocabulary: int) -> None:
    """Write the folder: one bfloat16 file for each layer, and one for embeddings and final norm."""
    folder.mkdir()
    LlamaConfig(
        hidden_size=hidden, intermediate_size=width, num_hidden_layers=layers, vocab_size=vocabulary,
        num_attention_heads=1, num_key_value_heads=1, head_dim=8, tie_word_embeddings=True, dtype="bfloat16",
        architectures=["LlamaForCausalLM"],
    ).save_pretrained(folder)  # fmt: skip
    tokenizer(vocabulary).save_pretrained(folder)
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).div_(math.sqrt(shape[-1])).bfloat16()

    down = random(hidden, width)
    files = {"model-rest.safetensors": ["model.embed_tokens.weight", "model.norm.weight"]}
    contents: dict[str, Callable[[], torch.Tensor] | None] = {
        "model.embed_tokens.weight": lambda: random(vocabulary, hidden),
        "model.norm.weight": lambda: torch.ones(hidden, dtype=torch.bfloat16),
    }
    shapes = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        own = {
            f"{at}.mlp.down_proj.weight": (hidden, width),
            f"{at}.mlp.gate_proj.weight": (width, hidden),
            f"{at}.mlp.up_proj.weight": (width, hidden),
            f"{at}.self_attn.q_proj.weight": (8, hidden),
            f"{at}.self_attn.k_proj.weight": (8, hidden),
            f"{at}.self_attn.v_proj.weight": (8, hidden),
            f"{at}.self_attn.o_proj.weight": (hidden, 8),
            f"{at}.input_layernorm.weight": (hidden,),
            f"{at}.post_attention_layernorm.weight": (hidden,),
        }
        for name, shape in own.items():
            if name.endswith("down_proj.weight"):
                contents[name] = lambda layer=layer: down.roll(97 * layer, 1)  # other vectors in each layer, and cheap
            elif len(shape) == 1:
                contents[name] = lambda shape=shape: torch.ones(shape, dtype=torch.bfloat16)
            else:
                contents[name] = (lambda shape=shape: random(*shape)) if layer < WHOLE_LAYERS else None
        shapes |= own
        files[f"model-{layer:05}.safetensors"] = list(own)
    for file, names in files.items():
        _write(folder / file, {name: (shapes[name], contents[name]) for name in names})
    index = {"metadata": {}, "weight_map": {name: file for file, names in files.items() for name in names}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _write(file: Path, tensors: dict[str, tuple[tuple[int, ...], Callable[[], torch.Tensor] | None]]) -> None:
    header, offset = {}, 0
    for name, (shape, _) in tensors.items():
        end = offset + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + offset)
        for name, (_, content) in tensors.items():
            if content is not None:
                stream.seek(8 + len(text) + header[name]["data_offsets"][0])
                content().view(torch.int16).numpy().tofile(stream)
