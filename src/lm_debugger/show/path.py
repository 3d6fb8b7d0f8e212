"""Patched paths as a document: how much each sender changes the prediction through the receiver."""

from lm_debugger.records.path import PathEffect, PathMap
from lm_debugger.show.document import Bar, Block, Column, Document, Span, Table, line, muted, signed_tone
from lm_debugger.show.numbers import signed
from lm_debugger.show.patch import between

LISTED = 15


def paths(found: PathMap) -> Document:
    """The two runs, what is compared, and the paths."""
    held = "held" if found.through == "nothing" else "held, but for the feed-forwards"
    left = len(found.paths) - LISTED
    return (
        *between(found),
        muted(f"change of that where {found.receiver} reads the other run's, all between {held}"),
        _table(found),
        *((muted(f"{left} more change it less"),) if left > 0 else ()),
    )


def _table(found: PathMap) -> Table:
    most = max((abs(path.change) for path in found.paths), default=0.0) or 1.0

    def row(path: PathEffect) -> tuple[Block, ...]:
        tone = signed_tone(path.change)
        return (
            line(Span(path.sender, strong=True)),
            line(Span(signed(path.change), tone)),
            Bar(abs(path.change) / most, tone),
        )

    columns = (Column("sender"), Column("change", right=True), Column(grow=True))
    return Table(columns, tuple(map(row, found.paths[:LISTED])))
