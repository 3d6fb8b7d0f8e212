"""All heads of a prompt, as a document: the strongest of each kind of attention, and those that write most."""

from lm_debugger.records.attention import HeadRow, HeadTable
from lm_debugger.show.document import (
    Block,
    Column,
    Document,
    Prompt,
    Section,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
    line,
    muted,
    warnings,
)
from lm_debugger.show.numbers import size

_EACH = 8  # heads listed for each kind
_KINDS = {
    "previous": "attend to the token before",
    "first": "attend to the first token",
    "duplicate": "attend to the same token before",
    "induction": "attend to what followed the same token before",
}


def heads(found: HeadTable) -> Document:
    """The whole table: for each kind of attention its strongest heads; then those that write most."""
    most = sorted(found.heads, key=lambda row: -row.norm)[:_EACH]
    kinds = [section for kind, title in _KINDS.items() if (section := _kind(found, kind, title)) is not None]
    edits = (line(Span("with ", Tone.MUTED), Span(", ".join(found.interventions), Tone.EDITED)),)
    return (
        Prompt(found.tokens, found.position),
        *(edits if found.interventions else ()),
        *warnings(found.warnings),
        Section("write most here", (_table([(row, row.norm) for row in most], "norm", found),)),
        *kinds,
    )


def _kind(found: HeadTable, kind: str, title: str) -> Section | None:
    scored = [(row, score) for row in found.heads if (score := getattr(row, kind)) is not None]
    if not scored:
        return None
    best = sorted(scored, key=lambda pair: -pair[1])[:_EACH]
    return Section(title, (_table(best, "score", found),))


def _table(rows: list[tuple[HeadRow, float]], title: str, found: HeadTable) -> Table:
    def attends(row: HeadRow) -> Block:
        return muted("") if row.attends is None else line(TokenCell(found.tokens[row.attends].text, most=12))

    return Table(
        (Column("head"), Column(title, right=True), Column("from here to"), Column("promotes here", grow=True)),
        tuple(
            (line(Span(row.head, strong=True)), line(Span(size(score))), attends(row), Tokens(row.promotes))
            for row, score in rows
        ),
    )
