"""The heads that write most at one position, layer by layer, and what the strongest of each promotes there."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.trace import HeadUpdate
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams, Written

PROMOTED = 10  # tokens listed

Strongest = list[list[Written]]  # of each layer, the longest contribution first


def strongest_heads(model: LoadedModel, streams: Sequence[LayerStreams], count: int) -> Strongest:
    """The strongest heads of each layer.

    Args:
        streams: each layer's streams at a single position.
        count: how many heads of a layer at most.
    """
    return [_strongest(model, layer, count) for layer in streams]


def to_spell(strongest: Strongest, spelled: int) -> list[tuple[int, Tensor]]:
    """What those heads write whose tokens are listed: for each layer that has some, vectors (heads, hidden).

    Args:
        strongest: of each layer.
        spelled: of how many of a layer. What a head writes is another vector in every run, so that nothing can be
            remembered of it as of value vectors.
    """
    chosen = [(layer, each[:spelled]) for layer, each in enumerate(strongest)]
    return [(layer, torch.stack([written.vector for written in each])) for layer, each in chosen if each]


def head_updates(
    model: LoadedModel, strongest: Strongest, spelled: int, logits: Tensor
) -> list[tuple[HeadUpdate, ...]]:
    """The strongest heads as they are shown.

    Args:
        strongest, spelled: as for `to_spell`.
        logits: the projections of what it gave: (heads, vocabulary).
    """
    tokens = [tuple(map(model.vocabulary.text, row)) for row in _best(logits)]
    words = iter(tokens)
    return [
        tuple(
            HeadUpdate(
                head=str(written.name),
                norm=written.norm,
                share=written.share,
                promotes=next(words) if place < spelled else (),
            )
            for place, written in enumerate(layer)
        )
        for layer in strongest
    ]


def _best(logits: Tensor) -> list[list[int]]:
    best: list[list[int]] = logits.topk(min(PROMOTED, logits.shape[-1])).indices.tolist()
    return best


def _strongest(model: LoadedModel, streams: LayerStreams, count: int) -> list[Written]:
    groups = [group for group in model.blocks[streams.layer.index].units if isinstance(group, HeadGroup)]
    return [written for group in groups for written in HeadStreams(group, streams).strongest(count)]
