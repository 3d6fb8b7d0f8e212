"""The tokens that vectors promote, kept in the cache: the next program spells at once what this one has spelled.

As many tokens of each as a trace lists. Knows no network.
"""

import json
from collections.abc import Sequence

import torch

from lm_debugger.lenses.lens import Lens, cache_key
from lm_debugger.records.cache import CacheKind
from lm_debugger.store import cache

KIND: CacheKind = "words"
VERSION = 1
TOKENS = 10  # kept of each
MOST = 10_000  # kept, the latest: 1 MB

Words = dict[str, tuple[Sequence[float], Sequence[int]]]
"""By what a caller calls them: projections and token ids, the strongest first."""


def read(fingerprint: str, lens: Lens) -> Words:
    """What is kept of a model through a lens; nothing if nothing is."""
    entry = cache.read(KIND, cache_key(fingerprint, lens), VERSION)
    if entry is None:
        return {}
    try:
        names = json.loads(entry.text)
    except ValueError:  # other code wrote it
        return {}
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return {}
    if not entry.has(values=(len(names), TOKENS), ids=(len(names), TOKENS)):
        return {}
    values, ids = entry.arrays["values"].tolist(), entry.arrays["ids"].tolist()
    return {name: (values[row], ids[row]) for row, name in enumerate(names)}


def write(fingerprint: str, lens: Lens, words: Words) -> Words:
    """Keep the latest of these, in the place of what was kept. Returns those that are kept."""
    enough = [(name, found) for name, found in words.items() if len(found[1]) >= TOKENS]
    kept = {name: (values[:TOKENS], ids[:TOKENS]) for name, (values, ids) in enough[-MOST:]}
    values, ids = ([found[side] for found in kept.values()] for side in range(2))
    arrays = {"values": torch.tensor(values), "ids": torch.tensor(ids, dtype=torch.int32)}
    cache.write(KIND, cache_key(fingerprint, lens), VERSION, arrays, json.dumps(list(kept)))
    return kept
