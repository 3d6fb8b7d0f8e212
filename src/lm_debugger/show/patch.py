"""A patch map as a document: how much of the way to the other run each layer and position (or head) makes."""

from lm_debugger.records.patch import Between, PatchMap
from lm_debugger.show.document import (
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

_COLUMNS = 10  # positions or heads shown, those that matter most
_SLIGHT = 0.05  # logits: smaller changes recede
_PARTS = {
    "residual": "the stream after each layer",
    "attention": "what attention gives",
    "ffn": "what the feed-forward gives",
    "heads": "each head, at all positions",
}


def patch(found: PatchMap) -> Document:
    """The two runs, what is compared, and the map."""
    return (
        *between(found),
        muted(f"change of that with {_PARTS[found.part]} taken from the other run"),
        _map(found),
    )


def between(found: Between) -> Document:
    """The two runs and what is compared."""
    edits = (line(Span("with ", Tone.MUTED), Span(", ".join(found.interventions), Tone.EDITED)),)
    rival = () if found.against is None else (Span(" minus ", Tone.MUTED), TokenCell(found.against.text))
    there = "–" if found.other_difference is None else signed(found.other_difference)
    return (
        Prompt(found.tokens, found.position),
        *(edits if found.interventions else ()),
        *warnings(found.warnings),
        line(
            TokenCell(found.target.text, Tone.PREDICTED), *rival, Span(" in logits: here ", Tone.MUTED),
            signed(found.difference), Span(", in the other run ", Tone.MUTED), there,
        ),
        muted(f"aligned: {found.alignment}"),
    )  # fmt: skip


def _map(found: PatchMap) -> Table:
    columns = range(max((len(row) for row in found.cells), default=0))

    def reach(column: int) -> float:
        rows = (row[column] for row in found.cells)
        return max((abs(cell - found.difference) for cell in rows if cell is not None), default=0.0)

    shown = sorted(sorted(columns, key=lambda column: -reach(column))[:_COLUMNS])
    heads = [f"H{column}" if found.part == "heads" else f"{column}" for column in shown]
    titles: tuple[Block, ...] = (muted(""), muted(""))
    if found.part != "heads":
        titles += tuple(line(TokenCell(found.tokens[column].text, most=6)) for column in shown)
    rows: list[tuple[Block, ...]] = [titles] if found.part != "heads" else []
    for layer, (row, whole) in enumerate(zip(found.cells, found.together, strict=True)):
        cells = (whole, *(row[column] for column in shown))
        rows.append((muted(f"layer {layer}"), *(_cell(cell, found.difference) for cell in cells)))
    return Table((Column(""), Column("all", right=True), *(Column(h, right=True) for h in heads)), tuple(rows), gap=1)


def _cell(cell: float | None, difference: float) -> Line:
    if cell is None:
        return muted("")
    change = cell - difference
    return line(Span(signed(change), Tone.MUTED if abs(change) < _SLIGHT else signed_tone(change)))
