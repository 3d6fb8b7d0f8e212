"""Directions of the residual stream as documents."""

from lm_debugger.records.direction import DirectionListing, DirectionSummary
from lm_debugger.show.document import Column, Document, Span, Table, Tone, line, muted


def kept(found: DirectionSummary) -> Document:
    """A direction that was kept."""
    where = f"L{found.layers[0]}"
    return (
        line(Span("✓ ", Tone.POSITIVE, strong=True), f"direction {found.name}: {found.made}"),
        muted(f"layers {_layers(found)} of {found.model}; use it as in {where}R({found.name})+=1"),
    )


def listing(found: DirectionListing) -> Document:
    """All directions that are kept."""
    if not found.directions:
        return (muted("No direction is kept. `lm-debugger direction add` keeps one."),)
    columns = (Column("direction"), Column("model", wrap=True), Column("layers", right=True), Column("made", wrap=True))
    rows = tuple(
        (line(Span(each.name, strong=True)), line(each.model), line(_layers(each)), muted(each.made))
        for each in found.directions
    )
    return (Table(columns, rows),)


def _layers(found: DirectionSummary) -> str:
    first, last = found.layers[0], found.layers[-1]
    return str(first) if first == last else f"{first}–{last}"
