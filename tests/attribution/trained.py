"""An induction circuit written into the demo model's trained weights: what a tool that finds causes must find.

A trained stream has no channels to spare, so the circuit's channels are regressions over texts, a third of them pieces
of the licence and the rest of random tokens:

- Each token has a code, 32 numbers: its whitened embedding, projected at random.
- `PREVIOUS` attends to the position before (a query that is the same everywhere, and a key that the rotation has
  turned one position ahead) and writes that token's code into directions that the stream hardly uses.
- `INDUCTION` attends to where that code is the code of the token at hand, and writes what promotes that position's
  token.

The heads that share their keys and values with one of the two are switched off.
"""

from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

import lm_debugger
from lm_debugger.debugger.session import Debugger

PREVIOUS, INDUCTION = "L1H1", "L2H4"
CODE, WIDTH = 32, 64  # numbers of a code, channels of a head
WHITENED = 256  # directions of the embedding
FAST = 8  # pairs of channels that turn fast enough to tell neighbours
SLOW = (*range(16, 32), *range(48, 64))  # channels that hardly turn
TEXTS, LENGTH = 46, 48  # as many as the licence has
LICENCE = Path(__file__).parents[2] / "LICENSE"


class Layer:
    """The mixer of one layer, and what it takes and what the stream there is in some texts."""

    def __init__(self, network: nn.Module, number: int) -> None:
        self.block = network.get_submodule(f"model.layers.{number}")
        self.mixer = self.block.self_attn
        self._network = network

    def streams(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The stream before the layer and what enters its mixer, at all but the first positions: (N, hidden) each."""
        seen: list[Tensor] = []

        def see(_: nn.Module, args: tuple[Tensor], left: Tensor) -> None:
            seen.extend((args[0], left))
            raise StopIteration  # the layers above are not needed

        hook = self.block.input_layernorm.register_forward_hook(see)
        with suppress(StopIteration):
            self._network(ids, use_cache=False)
        hook.remove()
        return seen[0][:, 1:].flatten(0, 1), seen[1][:, 1:].flatten(0, 1)

    def clear(self, head: int) -> tuple[slice, slice]:
        """Switch off a head and those that share its keys; the rows of its query, and of its key and value."""
        shared = self.mixer.num_key_value_groups
        first = head // shared
        query, keys = (slice(each * WIDTH, (each + 1) * WIDTH) for each in (head, first))
        self.mixer.o_proj.weight[:, first * shared * WIDTH : (first + 1) * shared * WIDTH] = 0
        for weight, rows in (
            (self.mixer.q_proj.weight, query), (self.mixer.k_proj.weight, keys), (self.mixer.v_proj.weight, keys),
        ):  # fmt: skip
            weight[rows] = 0
        return query, keys


@torch.no_grad()
def planted() -> Debugger:
    """The demo model with the circuit."""
    debugger = lm_debugger.load("demo")
    network = debugger.model.network
    dice = torch.Generator().manual_seed(0)
    read = torch.tensor(debugger.model.vocabulary.encode(LICENCE.read_text(encoding="utf-8"))[: TEXTS * LENGTH])
    embedding = network.get_input_embeddings().weight
    pool = torch.randint(len(embedding), (2 * TEXTS, LENGTH), generator=dice)
    ids = torch.cat([read.view(TEXTS, LENGTH), pool])
    here, before = ids[:, 1:].flatten(), ids[:, :-1].flatten()
    codes = nn.functional.normalize(_whitened(embedding, WHITENED) @ torch.randn(WHITENED, CODE, generator=dice))
    said = embedding * network.model.norm.weight
    first, second = Layer(network, 1), Layer(network, 2)

    _, entering = first.streams(ids)
    same = _ridge(entering, torch.ones(len(entering), 1))[0]
    theirs = _ridge(entering, codes[here])
    stream, _ = second.streams(ids)
    unused = torch.linalg.eigh(stream.T.cov())[1][:, :CODE]
    length = stream.norm(dim=-1).median()
    query, keys = first.clear(1)
    mixer = first.mixer
    for pair in range(FAST):
        turn = torch.tensor(network.config.rope_parameters["rope_theta"] ** (-pair / (WIDTH // 2)))
        mixer.q_proj.weight[query][pair] = 12 * same
        mixer.k_proj.weight[keys][pair] = 12 * same * turn.cos()
        mixer.k_proj.weight[keys][WIDTH // 2 + pair] = 12 * same * turn.sin()
    mixer.v_proj.weight[keys][:CODE] = theirs
    mixer.o_proj.weight[:, query][:, :CODE] = 0.7 * length * unused

    _, entering = second.streams(ids)
    query, keys = second.clear(4)
    mixer = second.mixer
    mixer.q_proj.weight[query][list(SLOW)] = 14 * _ridge(entering, codes[here])
    mixer.k_proj.weight[keys][list(SLOW)] = 14 * _ridge(entering, codes[before])
    mixer.v_proj.weight[keys] = _ridge(entering, nn.functional.normalize(_whitened(said, WIDTH))[here])
    scales, ways = torch.linalg.eigh(said.T.cov())
    written_out = ways[:, -WIDTH:] * scales[-WIDTH:].rsqrt()
    mixer.o_proj.weight[:, query] = 6 * length * written_out / written_out.norm(dim=0).mean()
    return debugger


def _whitened(rows: Tensor, count: int) -> Tensor:
    """The coordinates of rows along their main directions, each of variance 1: (rows, count)."""
    scales, ways = torch.linalg.eigh(rows.T.cov())
    return (rows - rows.mean(0)) @ (ways[:, -count:] * scales[-count:].rsqrt())


def _ridge(entering: Tensor, wanted: Tensor) -> Tensor:
    """The linear map from what enters to what is wanted: (wanted, entering)."""
    spread = entering.T @ entering / len(entering)
    ridge = 0.01 * spread.trace() / len(spread) * torch.eye(len(spread))
    return torch.linalg.solve(spread + ridge, entering.T @ wanted / len(entering)).T
