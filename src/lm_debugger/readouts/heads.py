"""The heads that write most at one position, layer by layer, and what the strongest of each promotes there."""

from collections.abc import Sequence

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.trace import HeadUpdate
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams, Written

PROMOTED = 10  # tokens listed


def head_updates(
    model: LoadedModel, reading: Reading, streams: Sequence[LayerStreams], count: int, spelled: int
) -> list[tuple[HeadUpdate, ...]]:
    """The strongest heads of each layer, with all tokens from one product with the unembedding.

    Args:
        reading: the model through a lens.
        streams: each layer's streams at a single position.
        count: how many heads of a layer at most.
        spelled: of how many of them the tokens are listed. What a head writes is another vector in every run, so that
            nothing can be remembered of it as of value vectors: each costs a product with the whole unembedding.
    """
    strongest = [_strongest(model, layer, count) for layer in streams]
    read = [written for layer in strongest for written in layer[:spelled]]
    promotes = dict(zip([written.name for written in read], _tokens(model, reading, read), strict=True))
    return [
        tuple(
            HeadUpdate(
                head=str(written.name),
                norm=written.norm,
                share=written.share,
                promotes=promotes.get(written.name, ()),
            )
            for written in layer
        )
        for layer in strongest
    ]


def _strongest(model: LoadedModel, streams: LayerStreams, count: int) -> list[Written]:
    groups = [group for group in model.blocks[streams.layer.index].units if isinstance(group, HeadGroup)]
    return [written for group in groups for written in HeadStreams(group, streams).strongest(count)]


def _tokens(model: LoadedModel, reading: Reading, read: Sequence[Written]) -> list[tuple[str, ...]]:
    if not read:
        return []
    logits = reading.project((written.name.layer, written.vector[None]) for written in read)
    best = logits.topk(min(PROMOTED, logits.shape[-1])).indices.tolist()
    return [tuple(map(model.vocabulary.text, row)) for row in best]
