"""What the cache holds as a document: the list, and what was removed."""

from datetime import datetime

from lm_debugger.records.cache import CacheListing, CacheRemoval
from lm_debugger.show.document import Column, Document, Span, Table, line, muted


def listing(found: CacheListing) -> Document:
    """The list of all entries."""
    total = line(Span(size(found.bytes), strong=True), Span(f" in {found.folder}"))
    if not found.entries:
        return (total,)
    columns = (Column("key"), Column("model", wrap=True), Column("size", right=True), Column("last used"))
    rows = tuple(
        (line(entry.key), line(entry.model or "–"), line(size(entry.bytes)), muted(_moment(entry.used)))
        for entry in found.entries
    )
    return Table(columns, rows), total


def removal(gone: CacheRemoval) -> Document:
    """What was removed."""
    lines = (line(f"removed {entry.key}") for entry in gone.removed)
    return (*lines, line(Span(size(gone.bytes), strong=True), Span(" freed")))


def size(count: int) -> str:
    """Bytes for people."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _moment(when: datetime) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M")
