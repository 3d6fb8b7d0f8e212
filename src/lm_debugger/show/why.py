"""Who wrote a prediction, as a document: the question, the parts, and that they add up."""

from lm_debugger.records.token import TokenScore
from lm_debugger.records.why import Why, WhyPart
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

SOURCES = 4  # tokens listed for each head


def why(found: Why) -> Document:
    """The whole answer."""
    return (
        _question(found), *_edits(found), *warnings(found.warnings), EMPTY, _parts(found), EMPTY, *_sources(found),
        _sum(found),
    )  # fmt: skip


def _question(found: Why) -> Line:
    rival = () if found.against is None else (Span(" and not ", Tone.MUTED), _token(found.against))
    what = "logit" if found.against is None else "lead in logits"
    return line(
        Span("why ", Tone.MUTED),
        _token(found.target),
        *rival,
        Span(f" after position {found.position}: {what} ", Tone.MUTED),
        Span(signed(found.difference), strong=True),
    )


def _edits(found: Why) -> tuple[Line, ...]:
    if not found.interventions:
        return ()
    return (line(Span("with ", Tone.MUTED), Span(", ".join(found.interventions), Tone.EDITED)),)


def _token(token: TokenScore) -> TokenCell:
    return TokenCell(token.text, Tone.PREDICTED, percent=percent(token.probability))


def _parts(found: Why) -> Table:
    estimated = any(part.estimate is not None for part in found.parts)
    measured = any(part.measured is not None for part in found.parts)
    most = max((abs(part.effect) for part in found.parts), default=0.0) or 1.0

    def row(part: WhyPart) -> tuple[Block, ...]:
        tone = signed_tone(part.effect)
        causes = [part.estimate] * estimated + [part.measured] * measured
        return (
            line(Span(part.part, strong=True)),
            line(Span(signed(part.effect), tone)),
            *(muted("" if number is None else signed(number)) for number in causes),
            Bar(abs(part.effect) / most, tone),
            Tokens(part.promotes),
        )

    numbers = ("effect", *["estimate"] * estimated, *["measured"] * measured)
    columns = (
        Column("part"),
        *(Column(title, right=True) for title in numbers),
        Column(grow=True),
        Column("promotes here", grow=True),
    )
    return Table(columns, tuple(map(row, found.parts)))


def _sources(found: Why) -> tuple[Block, ...]:
    """What listed heads brought from the tokens that count most."""
    heads = [part for part in found.parts if part.sources]
    if not heads:
        return ()

    def row(part: WhyPart) -> tuple[Block, ...]:
        most = sorted(part.sources, key=lambda source: -abs(source.effect))[:SOURCES]
        cells = [
            (TokenCell(found.tokens[at].text), Span(f"@{at} ", Tone.MUTED), Span(f"{signed(effect)}  "))
            for at, effect in ((source.position, source.effect) for source in most)
        ]
        rest = sum(source.effect for source in part.sources) - sum(source.effect for source in most)
        left = () if len(part.sources) <= SOURCES else (Span("others ", Tone.MUTED), Span(signed(rest)))
        return (
            line(Span(part.part, strong=True)),
            line(Span(signed(part.effect), signed_tone(part.effect))),
            line(*(piece for cell in cells for piece in cell), *left),
        )

    columns = (Column("head"), Column("effect", right=True), Column("of that from", grow=True))
    return (Table(columns, tuple(map(row, heads))), EMPTY)


def _ablation(found: Why) -> str:
    """What measured and estimate are of, where that is not zero."""
    if found.ablation == "mean":
        return "  ablated parts take their mean over text"
    return "" if found.resampled is None else f"  ablated parts are as for {found.resampled!r}"


def _sum(found: Why) -> Line:
    listed = sum(part.effect for part in found.parts)
    agreement = "" if found.agreement is None else f"  estimate and measured correlate {found.agreement:.2f}"
    return line(
        Span("listed ", Tone.MUTED), signed(listed), Span("  rest ", Tone.MUTED), signed(found.rest),
        Span("  unexplained ", Tone.MUTED), signed(found.unexplained), Span("  together ", Tone.MUTED),
        signed(found.difference), Span(agreement, Tone.MUTED),
        Span(_ablation(found), Tone.MUTED),
    )  # fmt: skip
