"""A head as a document: what it copies and suppresses, and how strongly."""

from collections.abc import Sequence

from lm_debugger.records.head import Copied, HeadView, ReadWrite
from lm_debugger.show.document import (
    EMPTY,
    Bar,
    Beside,
    Block,
    Column,
    Document,
    Section,
    Span,
    Table,
    TokenCell,
    Tone,
    line,
    muted,
)
from lm_debugger.show.numbers import signed


def head(view: HeadView) -> Document:
    """A head: where it is, its strongest pairs of tokens, what it copies."""
    where = f"  layer {view.layer}, head {view.index}, {view.width} channels, length {view.norm:.3g}"
    first = line(Span(view.head, strong=True), Span(where, Tone.MUTED))
    if view.opaque or view.copying is None or view.rms is None:
        return (first, muted(f"what it copies cannot be told from its weights: {view.opaque}"))
    tone = Tone.POSITIVE if view.copying > 0 else Tone.NEGATIVE
    score = line(
        Span("copying  ", Tone.MUTED), Span(signed(view.copying), tone),
        Span("  from -1, suppresses what it attends to, to 1, copies it", Tone.MUTED),
    )  # fmt: skip
    sides = Beside(
        (
            Section("promotes", (_pairs(view.promotes, Tone.POSITIVE),)),
            Section("suppresses", (_pairs(view.suppresses, Tone.NEGATIVE),)),
        )
    )
    blocks: list[Block] = [first, score, muted(f"entries have a root mean square of {view.rms:.3g}"), EMPTY, sides]
    return (*blocks, Section("copies", (_copies(view.copies),)))


def _pairs(found: Sequence[ReadWrite], tone: Tone) -> Table:
    """Attended token, written token, value."""
    most = max((abs(pair.value) for pair in found), default=1.0) or 1.0
    rows = tuple(
        (
            line(TokenCell(pair.read.text, most=16)),
            muted("→"),
            line(TokenCell(pair.written.text, most=16)),
            muted(signed(pair.value)),
            Bar(abs(pair.value) / most, tone),
        )
        for pair in found
    )
    return Table((Column(), Column(), Column(), Column(right=True), Column(grow=True)), rows, gap=1)


def _copies(found: Sequence[Copied]) -> Table:
    rows = tuple(
        (line(TokenCell(token.text, most=20)), muted(signed(token.value)), muted(f"rank {token.rank:,}"))
        for token in found
    )
    return Table((Column(), Column(right=True), Column(right=True)), rows)
