"""The tokens that vectors promote, kept in the cache: the next program spells at once what this one has spelled.

As many tokens of each as a trace lists. Knows no network.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

import torch

from lm_debugger.errors import LMDebuggerError
from lm_debugger.lenses.lens import Lens, cache_key
from lm_debugger.records.cache import CacheKind
from lm_debugger.records.names import UnitName, read_unit
from lm_debugger.store import cache

KIND: CacheKind = "words"
VERSION = 1
TOKENS = 10  # kept of each end
ENDS = 20_000  # kept at most, the latest: 2 MB


class End(NamedTuple):
    """One end of a vector's projection: the tokens it promotes, or with `negative` those it suppresses."""

    name: UnitName
    negative: bool = False


Words = Mapping[End, tuple[list[float], list[int]]]
"""Of ends their tokens, the strongest first: projections and ids."""


def read(fingerprint: str, lens: Lens) -> Words:
    """What is kept of a model through a lens; nothing if nothing is."""
    entry = cache.read(KIND, cache_key(fingerprint, lens), VERSION)
    if entry is None:
        return {}
    try:
        ends = [End(read_unit(name.removeprefix("-")), name.startswith("-")) for name in json.loads(entry.text)]
    except (ValueError, AttributeError, LMDebuggerError):  # other code wrote it
        return {}
    shape = len(ends), TOKENS
    if not entry.has(values=shape, ids=shape):
        return {}
    values, ids = entry.arrays["values"].tolist(), entry.arrays["ids"].tolist()
    return {end: (values[row], ids[row]) for row, end in enumerate(ends)}


def write(fingerprint: str, lens: Lens, words: Words) -> None:
    """Keep these, in the place of what was kept."""
    kept = [(end, found) for end, found in words.items() if len(found[1]) >= TOKENS][-ENDS:]
    values, ids = ([found[side][:TOKENS] for _, found in kept] for side in range(2))
    arrays = {"values": torch.tensor(values), "ids": torch.tensor(ids, dtype=torch.int32)}
    names = [f"{'-' if end.negative else ''}{end.name}" for end, _ in kept]
    cache.write(KIND, cache_key(fingerprint, lens), VERSION, arrays, json.dumps(names))
