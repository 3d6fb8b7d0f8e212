"""A small llama with an induction circuit written into its weights: what a tool that finds causes must find.

Three layers of four heads, one token a word. The stream's first channels are the token's identity (one for each), the
next as many the identity of the token before, then one that is always the same. All weights but the planted ones are
random and small, as are all value vectors but the planted ones.

- `PREVIOUS` attends to the position before (by the rotation of its fastest channels) and writes that token's identity
  into the second part of the stream.
- `INDUCTION` attends to where the second part is the token at hand, and writes that position's token: it copies.
- `COPYING` attends to every token alike and writes each token's identity, weakly.
- `VECTORS` each write one word, whatever sign their coefficient has.
"""

import torch

import lm_debugger
from lm_debugger.debugger.session import Debugger
from tests import zoo
from tests.tiny import tokenizer

WORDS = 96
WIDTH = 128  # of a head
HIDDEN = 4 * WIDTH
PREVIOUS, INDUCTION, COPYING = "L0H1", "L1H2", "L2H3"
VECTORS = {"L0D7": "w40", "L1D3": "w40", "L2D11": "w40", "L1D20": "w50", "L2D30": "w50"}
FAST = 8  # pairs of channels that turn fast enough to tell neighbours
NOISE = 0.004


def planted() -> Debugger:
    """The model under the debugger."""
    network = zoo.make(
        "llama", hidden_size=HIDDEN, head_dim=WIDTH, num_attention_heads=4, num_key_value_heads=4, num_hidden_layers=3,
        intermediate_size=64, vocab_size=WORDS, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1e8}, max_position_embeddings=64,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(
                torch.ones_like(weight) if "norm" in name else NOISE * torch.randn(weight.shape, generator=generator)
            )
        network.model.embed_tokens.weight[:, :WORDS] += torch.eye(WORDS)
        network.model.embed_tokens.weight[:, 2 * WORDS] += 1
        network.lm_head.weight[:, :WORDS] += torch.eye(WORDS)
        layers = network.model.layers
        _previous(layers[0].self_attn, 1)
        _induction(layers[1].self_attn, 2)
        _copies(layers[2].self_attn, 3, 2.0, 0)
        for name, word in VECTORS.items():
            layer, dimension = map(int, name[1:].split("D"))
            layers[layer].mlp.down_proj.weight[:, dimension] += 3 * network.lm_head.weight[int(word[1:])]
    return lm_debugger.load(network, tokenizer(WORDS))


def _previous(attention: torch.nn.Module, head: int) -> None:
    """Query and key are the same at all positions, but for the turn by one position that the key is ahead."""
    start, half = head * WIDTH, WIDTH // 2
    for pair in range(FAST):
        turn = torch.tensor(1e8 ** (-pair / half))
        attention.q_proj.weight[start + pair, 2 * WORDS] = 3.0
        attention.k_proj.weight[start + pair, 2 * WORDS] = 3.0 * turn.cos()
        attention.k_proj.weight[start + half + pair, 2 * WORDS] = 3.0 * turn.sin()
    _copies(attention, head, 1.0, WORDS)


def _induction(attention: torch.nn.Module, head: int) -> None:
    """The query is the token at hand, the key the token before, both in channels that hardly turn."""
    start, half = head * WIDTH, WIDTH // 2
    slow = [*range(half - WORDS // 2, half), *range(WIDTH - WORDS // 2, WIDTH)]
    for word, channel in enumerate(slow):
        attention.q_proj.weight[start + channel, word] = 6.0
        attention.k_proj.weight[start + channel, WORDS + word] = 6.0
    _copies(attention, head, 6.0, 0)


def _copies(attention: torch.nn.Module, head: int, strength: float, to: int) -> None:
    """Values are tokens' identities, and are written to channels from `to` on."""
    start = head * WIDTH
    attention.v_proj.weight[start : start + WORDS, :WORDS] += 0.5 * torch.eye(WORDS)
    attention.o_proj.weight[to : to + WORDS, start : start + WORDS] += strength * 0.5 * torch.eye(WORDS)
