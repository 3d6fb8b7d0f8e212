"""The mean of every unit over text that the model writes by itself: what mean ablation puts in a unit's place.

The text is written as for a calibration; the first token of each text, which most models use as an attention sink, is
left out. A coefficient of an expert counts as 0 at tokens that the router sends elsewhere. Kept in the cache.
"""

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.reference import Key, Reference, embedding_site, key, numbers, unit_sites
from lm_debugger.engine.sites import Pass
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import written
from lm_debugger.store import cache
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import ValueGroup
from lm_debugger.work import Work

KIND, VERSION = "means", 1
TEXTS = 64
LENGTH = 64  # tokens of each
SEED = 0
AT_ONCE = 4  # texts: what is kept of more would fill the memory
EMBEDDING = "embedding"


@torch.no_grad()
def means(model: LoadedModel, work: Work) -> Reference:
    """The means of a model's units and of the stream that enters layer 0; measured on first use.

    Raises:
        CancelledError: if cancelled.
    """
    groups = [group for block in model.blocks for group in block.units if isinstance(group, ValueGroup | HeadGroup)]
    names = {key(group): f"{group.layer}.{group.path}.{group.extent.letters}" for group in groups}
    known = cache.read(KIND, model.fingerprint, VERSION)
    shapes = {names[key(group)]: (1, _numbers(group)) for group in groups}
    if known is not None and known.has(**shapes, **{EMBEDDING: (1, model.anatomy.hidden_size)}):
        return Reference({each: known.arrays[name] for each, name in names.items()}, known.arrays[EMBEDDING])
    before = model.engine.state()
    found = _measured(model, groups, work)
    if model.engine.state() == before:  # else it is of weights that are gone
        arrays = {names[each]: value for each, value in found.units.items()}
        cache.write(KIND, model.fingerprint, VERSION, {**arrays, EMBEDDING: found.embedding})
    return found


def _numbers(group: ValueGroup | HeadGroup) -> int:
    return group.kept if isinstance(group, HeadGroup) else group.extent.units


def _measured(model: LoadedModel, groups: list[ValueGroup | HeadGroup], work: Work) -> Reference:
    length = min(LENGTH, model.context or LENGTH)
    texts = written(model, TEXTS, length, SEED, work)
    first = embedding_site(model)
    taps = tuple(dict.fromkeys([first, *(site for group in groups for site in unit_sites(group))]))
    sums: dict[Key, Tensor] = {}
    entered = torch.zeros(model.anatomy.hidden_size, dtype=torch.float64)
    for start in range(0, len(texts), AT_ONCE):
        work("Measuring means", start, len(texts))
        passes = [Pass(ids) for ids in texts[start : start + AT_ONCE]]
        for capture in model.engine.observe(passes, taps, work=work):
            for group in groups:
                streams = LayerStreams(model.blocks[group.layer], capture, slice(1, None))
                total = numbers(group, streams).sum(0, dtype=torch.float64).cpu()
                sums[key(group)] = sums[key(group)] + total if key(group) in sums else total
            entered += capture[first][1:].sum(0, dtype=torch.float64).cpu()
    tokens = len(texts) * (length - 1)
    return Reference(
        {each: (total / tokens).float()[None] for each, total in sums.items()}, (entered / tokens).float()[None]
    )
