"""Patched paths as a document: how much each sender changes the prediction through the receiver."""

from lm_debugger.records.path import PathEffect, PathMap
from lm_debugger.show.document import (
    Bar,
    Block,
    Column,
    Document,
    Line,
    Prompt,
    Span,
    Table,
    TokenCell,
    Tone,
    line,
    muted,
    signed_tone,
    warnings,
)
from lm_debugger.show.numbers import signed

LISTED = 15


def paths(found: PathMap) -> Document:
    """The two runs, what is compared, and the paths."""
    edits = (line(Span("with ", Tone.MUTED), Span(", ".join(found.interventions), Tone.EDITED)),)
    held = "held" if found.through == "nothing" else "held, but for the feed-forwards"
    left = len(found.paths) - LISTED
    return (
        Prompt(found.tokens, found.position),
        *(edits if found.interventions else ()),
        *warnings(found.warnings),
        _question(found),
        muted(f"aligned: {found.alignment}"),
        muted(f"change of that where {found.receiver} reads the other run's, all between {held}"),
        _table(found),
        *((muted(f"{left} more change it less"),) if left > 0 else ()),
    )


def _question(found: PathMap) -> Line:
    rival = () if found.against is None else (Span(" minus ", Tone.MUTED), TokenCell(found.against.text))
    there = "–" if found.other_difference is None else signed(found.other_difference)
    return line(
        TokenCell(found.target.text, Tone.PREDICTED), *rival, Span(" in logits: here ", Tone.MUTED),
        signed(found.difference), Span(", in the other run ", Tone.MUTED), there,
    )  # fmt: skip


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
