"""Who wrote a prediction, as a document: the question, the parts, and that they add up."""

from lm_debugger.records.token import TokenScore
from lm_debugger.records.why import Why
from lm_debugger.show.document import (
    EMPTY,
    Bar,
    Block,
    Column,
    Document,
    Line,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
    line,
    muted,
    signed_tone,
    warnings,
)
from lm_debugger.show.numbers import percent, signed


def why(found: Why) -> Document:
    """The whole answer."""
    edits = (line(Span("with ", Tone.MUTED), ", ".join(found.interventions)),) if found.interventions else ()
    return (_question(found), *edits, *warnings(found.warnings), EMPTY, _parts(found), EMPTY, _sum(found))


def _question(found: Why) -> Line:
    what = "logit" if found.against is None else "lead in logits"
    return line(
        Span("why ", Tone.MUTED),
        _token(found.target),
        *(() if found.against is None else (Span(" and not ", Tone.MUTED), _token(found.against))),
        Span(f" after position {found.position}: {what} ", Tone.MUTED),
        Span(signed(found.difference), strong=True),
    )


def _token(token: TokenScore) -> TokenCell:
    return TokenCell(token.text, Tone.PREDICTED, percent=percent(token.probability))


def _parts(found: Why) -> Table:
    estimated = any(part.estimate is not None for part in found.parts)
    measured = any(part.measured is not None for part in found.parts)
    numbers = ("effect", *["estimate"] * estimated, *["measured"] * measured)
    columns = (
        Column("part"),
        *(Column(title, right=True) for title in numbers),
        Column(grow=True),
        Column("promotes here", grow=True),
    )
    most = max((abs(part.effect) for part in found.parts), default=0.0) or 1.0
    rows: list[tuple[Block, ...]] = []
    for part in found.parts:
        tone = signed_tone(part.effect)
        causes = [part.estimate] * estimated + [part.measured] * measured
        rows.append(
            (
                line(Span(part.part, strong=True)),
                line(Span(signed(part.effect), tone)),
                *(muted("" if number is None else signed(number)) for number in causes),
                Bar(abs(part.effect) / most, tone),
                Tokens(part.promotes),
            )
        )
    return Table(columns, tuple(rows))


def _sum(found: Why) -> Line:
    """That everything adds up."""
    terms = {
        "listed ": sum(part.effect for part in found.parts),
        "  rest ": found.rest,
        "  unexplained ": found.unexplained,
        "  together ": found.difference,
    }
    pieces = [span for label, number in terms.items() for span in (Span(label, Tone.MUTED), Span(signed(number)))]
    agreement = "" if found.agreement is None else f"  estimate and measured correlate {found.agreement:.2f}"
    return line(*pieces, Span(agreement, Tone.MUTED))
