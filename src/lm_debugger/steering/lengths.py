"""How long the residual stream typically is after each layer: the unit in which directions are added."""

import torch

from lm_debugger.engine.sites import Pass
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import written
from lm_debugger.records.cache import CacheKind
from lm_debugger.store import cache
from lm_debugger.work import Work

KIND: CacheKind = "lengths"
VERSION = 1
TEXTS, TOKENS = 16, 24
SEED = 29


@torch.no_grad()
def typical_lengths(model: LoadedModel, work: Work) -> tuple[float, ...]:
    """For each layer the median length of the stream after it, over text that the model writes. Kept in the cache.

    The first token of each text is left out: many models give it a stream of hundreds of times the usual length.
    """
    entry = cache.read(KIND, model.fingerprint, VERSION)
    if entry is not None and entry.has(lengths=(model.layers,)):
        return tuple(entry.arrays["lengths"].tolist())
    count = TOKENS if model.context is None else min(TOKENS, model.context)
    texts = written(model, TEXTS, count, SEED, work)
    sites = [layer.after for layer in model.anatomy.layers]
    captures = model.engine.observe([Pass(text) for text in texts], list(dict.fromkeys(sites)), work=work)
    lengths = torch.stack(
        [torch.cat([each[site][1:].float().norm(dim=-1) for each in captures]).median().cpu() for site in sites]
    )
    cache.write(KIND, model.fingerprint, VERSION, {"lengths": lengths})
    return tuple(lengths.tolist())
