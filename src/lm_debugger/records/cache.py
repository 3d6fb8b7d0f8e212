"""What the cache holds: records of its entries."""

from datetime import datetime
from typing import Literal

from lm_debugger.records.base import Record

CacheKind = Literal[
    "anatomy",
    "calibration",
    "clusters",
    "statistics",
    "lenses",
    "lensfits",
    "held",
    "lengths",
    "words",
    "converted",
    "demo",
    "content",
]


class CacheEntry(Record):
    """One thing that is kept.

    Args:
        key: names it, to be removed: `statistics/0123456789abcdef`.
        kind: what it is.
        model: the model as it was last opened, a file's path, or "" where that is not known.
        bytes: its size on disk.
        used: when it was last used.
    """

    key: str
    kind: CacheKind
    model: str
    bytes: int
    used: datetime


class CacheListing(Record):
    """The cache.

    Args:
        folder: where it is.
        bytes: size of all entries.
        entries: the last used first.
    """

    folder: str
    bytes: int
    entries: tuple[CacheEntry, ...]


class CacheRemoval(Record):
    """What was removed.

    Args:
        bytes: size of all that was removed.
        removed: the entries.
    """

    bytes: int
    removed: tuple[CacheEntry, ...]
